//! Raw JSON: the elements of an array in any chunking, the members of an object, string escapes.
//!
//! Nothing here builds values. A text is found, cut, copied or escaped where it stands, because the bytes of a log
//! line are read once and written once. The scanner knows strings, escapes and brackets, and no more grammar than
//! that: what lies inside an element is judged by whoever asks for its members.
//!
//! ```text
//! body bytes ──▶ Elements ──▶ Element ──▶ members ──▶ Member ──▶ append_raw_string ──▶ batch
//! ```

/// The text is not the JSON it ought to be, and nothing behind the fault can be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

/// Bytes at the end of the capacity that a cut value leaves to the members after it.
const RESERVE_BYTES: usize = 1024;

/// The largest assembly buffer that is kept from one element to the next.
const ASSEMBLY_KEPT_BYTES_MAX: usize = 64 * 1024;

/// Splits a JSON array of events, arriving in any chunking, into its elements. One per connection.
///
/// A body that is one bare object counts as an array of that object. An element that lies inside one chunk is
/// borrowed from it; one that spans chunks, or is longer than the capacity, is put together in a buffer of our own.
///
/// ```text
///             '['              value              end of value
///   Start ──────────▶ First ──────────▶ Inside ────────────────▶ After ──── ',' ───▶ Next ── value ──▶ Inside
///     │                 └──── ']' ───▶ End ◀────────── ']' ────────┘
///     └───── '{' ────▶ Inside (bare) ──▶ End
/// ```
pub struct Elements {
    capacity: usize,
    place: Place,
    /// The body is one object without an array around it.
    bare: bool,
    /// The assembly holds an element that the last call handed out.
    yielded: bool,
    room: Room,
    scan: Scan,
    assembly: Vec<u8>,
    cut: Option<Cut>,
    /// The cut value is a string, so a closing quote replaces what is dropped.
    cut_string: bool,
}

/// One element of the array.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Element<'a> {
    /// Its text, without white space around it.
    pub raw: &'a [u8],
    /// What was taken out of it, if it was longer than the capacity.
    pub cut: Option<Cut>,
}

/// Where the value of one member was cut because its element was longer than the capacity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    /// Offset in the element of the first byte behind the kept ones. If the value is a string, its closing quote
    /// stands there, so the element is valid JSON. If it is an object, an array or a number, the text ends there
    /// in the middle, and what stands there is what followed the value.
    pub at: usize,
    /// Bytes the value had on the wire, with its quotes or brackets.
    pub original_bytes: usize,
}

/// Where in the body the next byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    First,
    Next,
    Inside,
    After,
    End,
    Broken,
}

/// What becomes of the bytes of the current element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    /// All are kept: there was room so far.
    Keeping,
    /// Those up to the end of the cut value are dropped.
    DroppingValue,
    /// Those behind the cut value are kept.
    KeepingTail,
    /// There is no room left: those up to the end of the element are dropped.
    DroppingTail,
}

enum Found<'input> {
    InInput(&'input [u8]),
    Assembled,
    Nothing,
}

impl Elements {
    /// `capacity` is the most bytes an element may keep; the assembly buffer never grows past it. Nothing is
    /// allocated before an element spans two chunks.
    pub const fn new(capacity: usize) -> Self {
        Elements {
            capacity,
            place: Place::Start,
            bare: false,
            yielded: false,
            room: Room::Keeping,
            scan: Scan::new(),
            assembly: Vec::new(),
            cut: None,
            cut_string: false,
        }
    }

    /// The next element, taken from the front of `input`; `None` when the input is used up.
    ///
    /// After `Malformed` the rest of the body is lost, and every call with more of it says so until `finish`; the
    /// elements before it were good.
    pub fn next<'a, 'input: 'a>(
        &'a mut self,
        input: &mut &'input [u8],
    ) -> Result<Option<Element<'a>>, Malformed> {
        if self.yielded {
            self.release();
        }
        match self.advance(input) {
            Ok(Found::InInput(raw)) => Ok(Some(Element { raw, cut: None })),
            Ok(Found::Assembled) => {
                self.yielded = true;
                Ok(Some(Element {
                    raw: &self.assembly,
                    cut: self.cut.clone(),
                }))
            }
            Ok(Found::Nothing) => Ok(None),
            Err(malformed) => {
                self.place = Place::Broken;
                Err(malformed)
            }
        }
    }

    /// The body ended: `Ok` if the array was complete. Makes ready for the next body.
    pub fn finish(&mut self) -> Result<(), Malformed> {
        let complete = self.place == Place::End;
        self.place = Place::Start;
        self.bare = false;
        self.release();
        if complete { Ok(()) } else { Err(Malformed) }
    }

    /// Makes the assembly ready for the next element.
    fn release(&mut self) {
        if self.assembly.capacity() > ASSEMBLY_KEPT_BYTES_MAX {
            self.assembly = Vec::new();
        }
        self.assembly.clear();
        self.yielded = false;
        self.room = Room::Keeping;
        self.cut = None;
    }

    fn advance<'input>(&mut self, input: &mut &'input [u8]) -> Result<Found<'input>, Malformed> {
        if self.place != Place::Inside && !self.enter(input)? {
            return Ok(Found::Nothing);
        }
        // Every turn takes bytes or leaves `Keeping` and then `KeepingTail` for good, so the loop ends.
        while !input.is_empty() {
            let (keep, floor) = match self.room {
                Room::Keeping | Room::KeepingTail => (true, 0),
                Room::DroppingValue => (false, 1),
                Room::DroppingTail => (false, 0),
            };
            let room = self.capacity.saturating_sub(self.assembly.len());
            let bytes: &'input [u8] = input;
            let window = if keep {
                bytes.get(..room).unwrap_or(bytes)
            } else {
                bytes
            };
            if window.is_empty() {
                self.overflow();
                continue;
            }
            let end = self.scan.value_end(window, floor)?;
            let used = end.unwrap_or(window.len());
            let (taken, rest) = bytes.split_at_checked(used).unwrap_or((bytes, &[]));
            *input = rest;
            if end.is_some() && floor == 0 {
                self.place = if self.bare { Place::End } else { Place::After };
                if keep && self.assembly.is_empty() {
                    return Ok(Found::InInput(taken));
                }
            }
            if keep {
                self.keep(taken);
            } else if floor == 1 {
                self.drop_value(used, end.is_some());
            }
            if self.place != Place::Inside {
                return Ok(Found::Assembled);
            }
        }
        Ok(Found::Nothing)
    }

    /// Reads up to the first byte of an element, which it leaves in the input. False if the input has none.
    fn enter(&mut self, input: &mut &[u8]) -> Result<bool, Malformed> {
        while let Some((&byte, rest)) = input.split_first() {
            self.place = match (self.place, byte) {
                (place, b' ' | b'\t' | b'\n' | b'\r') if place != Place::Broken => place,
                (Place::After, b',') => Place::Next,
                (Place::After | Place::First, b']') => Place::End,
                (Place::Start, b'[') => Place::First,
                (Place::Start, b'{') => {
                    self.bare = true;
                    Place::Inside
                }
                (
                    Place::First | Place::Next,
                    b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n',
                ) => Place::Inside,
                _ => return Err(Malformed),
            };
            if self.place == Place::Inside {
                self.scan = Scan::new();
                return Ok(true);
            }
            *input = rest;
        }
        Ok(false)
    }

    /// Appends to the assembly, whose allocation doubles but never passes the capacity.
    fn keep(&mut self, bytes: &[u8]) {
        let needed = self.assembly.len().saturating_add(bytes.len());
        if needed > self.assembly.capacity() {
            let wanted = needed
                .max(self.assembly.capacity().saturating_mul(2))
                .min(self.capacity);
            self.assembly
                .reserve_exact(wanted.saturating_sub(self.assembly.len()));
        }
        self.assembly.extend_from_slice(bytes);
    }

    /// Counts bytes of the cut value, and closes it at its end.
    fn drop_value(&mut self, bytes: usize, ended: bool) {
        if let Some(cut) = &mut self.cut {
            cut.original_bytes = cut.original_bytes.saturating_add(bytes);
        }
        if ended {
            if self.cut_string {
                self.assembly.push(b'"');
            }
            self.room = Room::KeepingTail;
        }
    }

    /// The assembly is full and the element goes on.
    ///
    /// The first member's value that reaches into the reserve is cut back to where the reserve begins; it is
    /// looked for only now, so that the scanner need not know members. This depends on nothing but the first
    /// `capacity` bytes of the element, and so not on the chunking.
    fn overflow(&mut self) {
        let first_time = self.room == Room::Keeping;
        self.room = Room::DroppingTail;
        if !first_time {
            return;
        }
        let limit = self.capacity.saturating_sub(RESERVE_BYTES);
        let mut walk = members(&self.assembly, None);
        let (member, end) = loop {
            let Some(member) = walk.next() else { return };
            let end = walk.offset();
            if end > limit {
                break (member, end);
            }
        };
        // The first byte stays in any case: it tells the kind of the value.
        let inside = member.offset.saturating_add(1);
        let text = self.assembly.get(inside..).unwrap_or(&[]);
        let at = inside.saturating_add(boundary(text, limit.saturating_sub(inside)));
        if at >= self.capacity {
            return;
        }
        self.cut_string = matches!(member.value, Value::String(_));
        self.cut = Some(Cut {
            at,
            original_bytes: end.saturating_sub(member.offset),
        });
        if member.complete {
            let behind = end.saturating_sub(usize::from(self.cut_string));
            let tail = self.assembly.get(behind..).unwrap_or(&[]).to_vec();
            self.assembly.truncate(at);
            self.assembly.extend_from_slice(&tail);
            self.room = Room::KeepingTail;
        } else {
            self.assembly.truncate(at);
            self.room = Room::DroppingValue;
        }
    }
}

/// The state of a walk to the end of one value, resumable at every byte.
struct Scan {
    /// Open brackets.
    depth: u32,
    /// Bit n tells that the bracket at depth n is `[`. Deeper ones than 64 are only counted.
    arrays: u64,
    in_string: bool,
    /// The last byte was the backslash of an escape.
    in_escape: bool,
}

impl Scan {
    const fn new() -> Self {
        Scan {
            depth: 0,
            arrays: 0,
            in_string: false,
            in_escape: false,
        }
    }

    /// The offset behind the value that began at depth `floor`; `None` if it goes on behind `bytes`.
    ///
    /// A string or bracketed value ends with its last byte. A number or literal ends before the comma, bracket or
    /// white space that follows it.
    fn value_end(&mut self, bytes: &[u8], floor: u32) -> Result<Option<usize>, Malformed> {
        let mut rest = bytes;
        loop {
            if self.in_string {
                let Some(behind) = behind_string(rest, &mut self.in_escape) else {
                    return Ok(None);
                };
                self.in_string = false;
                rest = behind;
                if self.depth == floor {
                    break;
                }
            }
            let Some((&byte, behind)) = rest.split_first() else {
                return Ok(None);
            };
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.open(byte == b'[')?,
                b'}' | b']' => {
                    if self.depth == floor {
                        break;
                    }
                    self.close(byte == b']')?;
                    if self.depth == floor {
                        rest = behind;
                        break;
                    }
                }
                b',' | b' ' | b'\t' | b'\n' | b'\r' if self.depth == floor => break,
                _ => {}
            }
            rest = behind;
        }
        Ok(Some(bytes.len().saturating_sub(rest.len())))
    }

    fn open(&mut self, array: bool) -> Result<(), Malformed> {
        let bit = 1u64.checked_shl(self.depth).unwrap_or(0);
        self.arrays = if array {
            self.arrays | bit
        } else {
            self.arrays & !bit
        };
        self.depth = self.depth.checked_add(1).ok_or(Malformed)?;
        Ok(())
    }

    fn close(&mut self, array: bool) -> Result<(), Malformed> {
        self.depth = self.depth.checked_sub(1).ok_or(Malformed)?;
        match 1u64.checked_shl(self.depth) {
            Some(bit) if (self.arrays & bit != 0) != array => Err(Malformed),
            _ => Ok(()),
        }
    }
}

/// The value of a member, as text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    /// What stands between the quotes, still escaped, and not checked.
    String(&'a [u8]),
    /// Begins like a number; see `number_is_valid`.
    Number(&'a [u8]),
    True,
    False,
    Null,
    /// The text of an object or array, with its brackets. They match; its inside is not checked.
    Nested(&'a [u8]),
}

/// The text of a value, without the quotes of a string.
pub fn text<'a>(value: &Value<'a>) -> &'a [u8] {
    match value {
        Value::String(text) | Value::Number(text) | Value::Nested(text) => text,
        Value::True => b"true",
        Value::False => b"false",
        Value::Null => b"null",
    }
}

/// One member of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member<'a> {
    /// What stands between the quotes, still escaped.
    pub key: &'a [u8],
    pub value: Value<'a>,
    /// Of the value's first byte in the object's text.
    pub offset: usize,
    /// False if the value was cut, or the text ended inside it: `value` is then what is there.
    pub complete: bool,
}

/// The members of an object, top level only, in order. Tolerant: stops at the first malformed byte.
pub struct Members<'a> {
    object: &'a [u8],
    rest: &'a [u8],
    /// Offset where the kept bytes of a cut value end; the length of the object once that is passed.
    cut_at: usize,
    walk: Walk,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    Before,
    Between,
    Stopped,
    EndedWell,
}

/// The members of an object. `cut` is the element's, if the object is an element.
///
/// A text that was truncated somewhere, such as a cut nested value, is walked as far as it goes: its last member
/// may be incomplete.
pub fn members<'a>(object: &'a [u8], cut: Option<&Cut>) -> Members<'a> {
    let cut_at = cut.map_or(object.len(), |cut| cut.at);
    Members {
        object,
        rest: object,
        cut_at,
        walk: Walk::Before,
    }
}

impl Members<'_> {
    /// After the last member: the object was closed, and only white space is behind it.
    pub fn ended_well(&self) -> bool {
        self.walk == Walk::EndedWell
    }

    /// Offset of the next byte to read; after a member, that behind its value.
    fn offset(&self) -> usize {
        self.object.len().saturating_sub(self.rest.len())
    }

    /// The next byte that is not white space.
    fn token(&mut self) -> Option<u8> {
        let (&byte, rest) = behind_space(self.rest).split_first()?;
        self.rest = rest;
        Some(byte)
    }
}

impl<'a> Members<'a> {
    fn step(&mut self) -> Option<Member<'a>> {
        let first = self.walk == Walk::Before;
        let mut token = self.token()?;
        if first {
            if token != b'{' {
                return None;
            }
            self.walk = Walk::Between;
            token = self.token()?;
        }
        if token == b'}' {
            if behind_space(self.rest).is_empty() {
                self.walk = Walk::EndedWell;
            }
            return None;
        }
        if !first {
            if token != b',' {
                return None;
            }
            token = self.token()?;
        }
        if token != b'"' {
            return None;
        }
        let text = self.rest;
        self.rest = behind_string(text, &mut false)?;
        let key = text.get(..text.len().checked_sub(self.rest.len())?.checked_sub(1)?)?;
        if self.token()? != b':' {
            return None;
        }
        self.value(key)
    }

    fn value(&mut self, key: &'a [u8]) -> Option<Member<'a>> {
        let text = behind_space(self.rest);
        self.rest = text;
        let offset = self.offset();
        // The cut value has no end before `cut_at`, and every value before it does. Once passed, it is no bound.
        let window = match self.cut_at.checked_sub(offset) {
            Some(bytes) if bytes > 0 => text.get(..bytes).unwrap_or(text),
            _ => text,
        };
        let end = Scan::new().value_end(window, 0).ok()?;
        let complete = end.is_some();
        let (value_text, rest) = text.split_at_checked(end.unwrap_or(window.len()))?;
        let value = Value::of(value_text, complete)?;
        self.rest = match (value, rest) {
            (Value::String(_), [b'"', behind @ ..]) if !complete => behind,
            _ => rest,
        };
        Some(Member {
            key,
            value,
            offset,
            complete,
        })
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Member<'a>;

    fn next(&mut self) -> Option<Member<'a>> {
        if matches!(self.walk, Walk::Stopped | Walk::EndedWell) {
            return None;
        }
        let member = self.step();
        if member.is_none() && self.walk != Walk::EndedWell {
            self.walk = Walk::Stopped;
        }
        member
    }
}

impl<'a> Value<'a> {
    /// The kind is that of the first byte; an incomplete literal is taken for the one it begins.
    fn of(text: &'a [u8], complete: bool) -> Option<Value<'a>> {
        let literal = |name: &[u8]| {
            if complete {
                text == name
            } else {
                name.starts_with(text)
            }
        };
        match text {
            [b'"', inside @ .., b'"'] if complete => Some(Value::String(inside)),
            [b'"', inside @ ..] => Some(Value::String(inside)),
            [b'{' | b'[', ..] => Some(Value::Nested(text)),
            [b'-' | b'0'..=b'9', ..] => Some(Value::Number(text)),
            [b't', ..] if literal(b"true") => Some(Value::True),
            [b'f', ..] if literal(b"false") => Some(Value::False),
            [b'n', ..] if literal(b"null") => Some(Value::Null),
            _ => None,
        }
    }
}

/// Whether the text is a number by the grammar of RFC 8259, section 6.
pub fn number_is_valid(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let mut rest = match text {
        [b'0', rest @ ..] => rest,
        _ => match behind_digits(text) {
            Some(rest) => rest,
            None => return false,
        },
    };
    if let [b'.', fraction @ ..] = rest {
        match behind_digits(fraction) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    if let [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] = rest {
        match behind_digits(exponent) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    rest.is_empty()
}

/// The value of a JSON number that is a whole one and fits, written as `694` or `694.0`. No signs, no exponents.
pub fn integer(text: &[u8]) -> Option<u64> {
    if !number_is_valid(text) {
        return None;
    }
    let mut value = 0u64;
    let mut in_fraction = false;
    for &byte in text {
        match byte {
            b'.' => in_fraction = true,
            b'0' if in_fraction => {}
            b'0'..=b'9' if !in_fraction => {
                value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
            }
            _ => return None,
        }
    }
    Some(value)
}

/// Appends a raw (still escaped) string as the content of a JSON string, valid in JSON and in UTF-8.
///
/// What is valid is copied as it is, so the usual cost is one scan and one copy. A backslash that begins no escape
/// becomes an escaped one, half a surrogate pair becomes `\ufffd`, a control character or quote is escaped, and
/// bytes that are not UTF-8 become U+FFFD. Appends at most `limit` bytes and never splits a character, an escape
/// or a surrogate pair. True if anything was left out.
pub fn append_raw_string(out: &mut Vec<u8>, raw: &[u8], limit: usize) -> bool {
    append_content(out, raw, limit, true)
}

/// Appends a raw string as `append_raw_string` does, if that is nothing but one copy: if it is valid as it is, has no quote
/// in it, and fits. Else appends nothing, and false.
pub fn append_if_clean(out: &mut Vec<u8>, raw: &[u8], limit: usize) -> bool {
    let (run, behind, ascii) = clean_run(raw, Form::Raw);
    let is_clean =
        behind.is_empty() && run.len() <= limit && (ascii || str::from_utf8(run).is_ok());
    if is_clean {
        out.extend_from_slice(run);
    }
    is_clean
}

/// Appends any text, which is not JSON, escaped as the content of a JSON string. Guarantees and `limit` are those
/// of `append_raw_string`.
pub fn append_escaped(out: &mut Vec<u8>, text: &[u8], limit: usize) -> bool {
    append_content(out, text, limit, false)
}

/// Appends the text that a raw string stands for, in UTF-8: at most `limit` bytes, and whole characters. True if
/// anything was left out. A backslash that begins no escape stands for itself, half a surrogate pair for U+FFFD.
pub fn append_unescaped(out: &mut Vec<u8>, raw: &[u8], limit: usize) -> bool {
    let mut sink = Sink { out, left: limit };
    let mut rest = raw;
    loop {
        let (run, behind, ascii) = clean_run(rest, Form::Unescape);
        if !sink.run(run, ascii) {
            return true;
        }
        if behind.is_empty() {
            return false;
        }
        let (character, bytes) = match escape(behind) {
            Escape::Character(character, bytes) => (character, bytes),
            Escape::HalfPair => (char::REPLACEMENT_CHARACTER, UNICODE_ESCAPE_BYTES),
            Escape::Invalid => ('\\', 1),
        };
        if !sink.unit(character.encode_utf8(&mut [0; 4]).as_bytes()) {
            return true;
        }
        rest = behind.get(bytes..).unwrap_or(&[]);
    }
}

fn append_content(out: &mut Vec<u8>, text: &[u8], limit: usize, raw: bool) -> bool {
    let mut sink = Sink { out, left: limit };
    let mut rest = text;
    loop {
        let (run, behind, ascii) = clean_run(rest, if raw { Form::Raw } else { Form::Text });
        if !sink.run(run, ascii) {
            return true;
        }
        let Some((&byte, after)) = behind.split_first() else {
            return false;
        };
        rest = after;
        let fits = match byte {
            b'\\' if raw && matches!(escape(behind), Escape::HalfPair) => {
                rest = behind.get(UNICODE_ESCAPE_BYTES..).unwrap_or(&[]);
                sink.unit(b"\\ufffd")
            }
            b'\\' => sink.unit(b"\\\\"),
            b'"' => sink.unit(b"\\\""),
            b'\n' => sink.unit(b"\\n"),
            b'\r' => sink.unit(b"\\r"),
            b'\t' => sink.unit(b"\\t"),
            _ => sink.unit(&[
                b'\\',
                b'u',
                b'0',
                b'0',
                hex_digit(byte >> 4),
                hex_digit(byte & 15),
            ]),
        };
        if !fits {
            return true;
        }
    }
}

fn hex_digit(value: u8) -> u8 {
    if value < 10 {
        b'0' + value
    } else {
        b'a' - 10 + value
    }
}

/// A buffer that takes so many bytes more.
struct Sink<'a> {
    out: &'a mut Vec<u8>,
    left: usize,
}

impl Sink<'_> {
    /// Appends all of `bytes`; if they do not fit, none, and false.
    fn unit(&mut self, bytes: &[u8]) -> bool {
        let Some(left) = self.left.checked_sub(bytes.len()) else {
            return false;
        };
        self.left = left;
        self.out.extend_from_slice(bytes);
        true
    }

    /// Appends a run as valid UTF-8; if it does not fit, what does, and false.
    fn run(&mut self, run: &[u8], ascii: bool) -> bool {
        // The usual case; worth a fifth where quotes are dense.
        if ascii && run.len() <= self.left {
            return self.unit(run);
        }
        let mut rest = run;
        while !rest.is_empty() {
            let checked = if ascii { Ok("") } else { str::from_utf8(rest) };
            let (valid, invalid) = match checked {
                Ok(_) => (rest.len(), 0),
                // No length: the run ends in the middle of a character.
                Err(error) => (error.valid_up_to(), error.error_len().unwrap_or(rest.len())),
            };
            let (text, behind) = rest.split_at_checked(valid).unwrap_or((rest, &[]));
            let fitting = text.get(..boundary(text, self.left)).unwrap_or(text);
            if !self.unit(fitting) || fitting.len() < text.len() {
                return false;
            }
            if invalid > 0 && !self.unit("\u{fffd}".as_bytes()) {
                return false;
            }
            rest = behind.get(invalid..).unwrap_or(&[]);
        }
        true
    }
}

/// How `clean_run` reads its text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A raw string that stays one: stops where it is not valid.
    Raw,
    /// Text that becomes one: stops at whatever must be escaped.
    Text,
    /// A raw string that becomes text: stops at every backslash.
    Unescape,
}

/// Splits off the longest run that can be copied as it is, but for its UTF-8; tells whether it is all ASCII.
fn clean_run(text: &[u8], form: Form) -> (&[u8], &[u8], bool) {
    let mut behind = text;
    let mut ascii = true;
    loop {
        let (offset, plain) = special(behind);
        ascii &= plain;
        behind = behind.get(offset..).unwrap_or(&[]);
        let step = match (behind.first(), form) {
            (Some(b'\\'), Form::Raw) => match escape(behind) {
                Escape::Character(_, bytes) => bytes,
                Escape::HalfPair | Escape::Invalid => 0,
            },
            (Some(b'\\') | None, _) => 0,
            (Some(_), _) => usize::from(form == Form::Unescape),
        };
        if step == 0 {
            let run = text.len().saturating_sub(behind.len());
            return (text.get(..run).unwrap_or(text), behind, ascii);
        }
        behind = behind.get(step..).unwrap_or(&[]);
    }
}

const UNICODE_ESCAPE_BYTES: usize = 6;

/// What a backslash begins.
enum Escape {
    /// An escape, or two of a surrogate pair: what it stands for, and its bytes.
    Character(char, usize),
    /// A `\u` escape that is half a surrogate pair.
    HalfPair,
    /// Nothing, or the text ended in it.
    Invalid,
}

/// Reads the escape at the start of `text`, which is a backslash.
fn escape(text: &[u8]) -> Escape {
    let character = match text.get(1) {
        Some(b'n') => '\n',
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        _ => return unicode_escape(text),
    };
    Escape::Character(character, 2)
}

fn unicode_escape(text: &[u8]) -> Escape {
    let Some(first) = code_unit(text) else {
        return Escape::Invalid;
    };
    if let Some(character) = char::from_u32(first) {
        return Escape::Character(character, UNICODE_ESCAPE_BYTES);
    }
    // A surrogate: what `char` lacks below 0x10000.
    let second = text.get(UNICODE_ESCAPE_BYTES..).and_then(code_unit);
    let (0xd800..=0xdbff, Some(low @ 0xdc00..=0xdfff)) = (first, second) else {
        return Escape::HalfPair;
    };
    match char::from_u32(0x10000 + ((first & 0x3ff) << 10) + (low & 0x3ff)) {
        Some(character) => Escape::Character(character, 2 * UNICODE_ESCAPE_BYTES),
        None => Escape::HalfPair,
    }
}

/// The sixteen bits of the `\u` escape at the start of `text`.
fn code_unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.first_chunk::<4>()?;
    let mut unit = 0;
    for &digit in digits {
        unit = unit << 4 | char::from(digit).to_digit(16)?;
    }
    Some(unit)
}

/// The length of the longest prefix of at most `limit` bytes that splits no character, escape or surrogate pair.
fn boundary(text: &[u8], limit: usize) -> usize {
    let Some(window) = text.get(..limit) else {
        return text.len();
    };
    if window.len() == text.len() {
        return limit;
    }
    let mut rest = window;
    while let Some((byte, behind)) = quote_or_backslash(rest) {
        rest = behind;
        if byte == b'\\' {
            let at = limit.saturating_sub(behind.len()).saturating_sub(1);
            let bytes = match escape(text.get(at..).unwrap_or(&[])) {
                Escape::Character(_, bytes) => bytes,
                Escape::HalfPair => UNICODE_ESCAPE_BYTES,
                Escape::Invalid => 1,
            };
            match window.get(at.saturating_add(bytes)..) {
                Some(behind) => rest = behind,
                None => return at,
            }
        }
    }
    // No escape crosses the limit, but a character may, with at most three of its bytes before the limit.
    for bytes in 0..=3 {
        let end = limit.saturating_sub(bytes);
        match text.get(end) {
            Some(0x80..0xc0) => {}
            Some(0xc0..) => return end,
            _ => break,
        }
    }
    // No character, or this is not UTF-8, and any boundary will do.
    limit
}

/// What follows the string's closing quote; `None` if the text ends before that. `in_escape` tells that a backslash
/// was the last byte before the text, and then whether it is the last of it.
fn behind_string<'t>(text: &'t [u8], in_escape: &mut bool) -> Option<&'t [u8]> {
    let mut rest = text;
    loop {
        if *in_escape {
            (_, rest) = rest.split_first()?;
            *in_escape = false;
        }
        let (byte, behind) = quote_or_backslash(rest)?;
        rest = behind;
        if byte == b'"' {
            return Some(rest);
        }
        *in_escape = true;
    }
}

/// What follows the white space at the start of the text.
fn behind_space(text: &[u8]) -> &[u8] {
    let mut rest = text;
    while let [b' ' | b'\t' | b'\n' | b'\r', behind @ ..] = rest {
        rest = behind;
    }
    rest
}

/// What follows the digits at the start of the text, if there is one.
fn behind_digits(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    while let [b'0'..=b'9', behind @ ..] = rest {
        rest = behind;
    }
    (rest.len() < text.len()).then_some(rest)
}

// Eight bytes at a time. In a word of eight bytes, `x - 0x01…` borrows into the high bit of the bytes that were zero;
// a borrow can reach a byte above such a one and mark it wrongly, so only the lowest mark is exact, and it is the
// only one that is used.

const ONES: u64 = u64::from_le_bytes([1; 8]);
const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);
const SPACES: u64 = u64::from_le_bytes([b' '; 8]);
const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);

/// Marks the lowest zero byte in its high bit; the other bits are noise.
#[inline(always)]
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word
}

/// The first quote or backslash, and what follows it.
#[inline]
fn quote_or_backslash(text: &[u8]) -> Option<(u8, &[u8])> {
    let mut rest = text;
    while let Some((chunk, behind)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let found = (zero_bytes(word ^ QUOTES) | zero_bytes(word ^ BACKSLASHES)) & HIGH_BITS;
        if found != 0 {
            let (&byte, behind) = rest
                .get(found.trailing_zeros() as usize / 8..)?
                .split_first()?;
            return Some((byte, behind));
        }
        rest = behind;
    }
    while let Some((&byte, behind)) = rest.split_first() {
        if matches!(byte, b'"' | b'\\') {
            return Some((byte, behind));
        }
        rest = behind;
    }
    None
}

/// The offset of the first quote, backslash or control character, or the length; and whether all before it is
/// ASCII. That may be denied wrongly.
#[inline]
fn special(text: &[u8]) -> (usize, bool) {
    let mut high = 0;
    let mut rest = text;
    while let Some((chunk, behind)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let control = word.wrapping_sub(SPACES) & !word;
        let found =
            (zero_bytes(word ^ QUOTES) | zero_bytes(word ^ BACKSLASHES) | control) & HIGH_BITS;
        high |= word & HIGH_BITS;
        if found != 0 {
            let offset = text.len().saturating_sub(rest.len());
            return (
                offset.saturating_add(found.trailing_zeros() as usize / 8),
                high == 0,
            );
        }
        rest = behind;
    }
    let mut ascii = high == 0;
    while let Some((&byte, behind)) = rest.split_first() {
        if matches!(byte, b'"' | b'\\' | ..b' ') {
            break;
        }
        ascii &= byte < 0x80;
        rest = behind;
    }
    (text.len().saturating_sub(rest.len()), ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a body gave: its elements, and how it ended.
    type Outcome = (Vec<(Vec<u8>, Option<Cut>)>, Result<(), Malformed>);

    fn split<'a>(elements: &mut Elements, chunks: impl Iterator<Item = &'a [u8]>) -> Outcome {
        let mut found = Vec::new();
        let mut broken = false;
        for mut chunk in chunks {
            loop {
                match elements.next(&mut chunk) {
                    Ok(Some(element)) => found.push((element.raw.to_vec(), element.cut)),
                    Ok(None) => break assert!(chunk.is_empty()),
                    Err(Malformed) => break broken = true,
                }
                assert!(elements.assembly.capacity() <= elements.capacity);
            }
        }
        let end = elements.finish();
        assert!(!broken || end.is_err());
        (found, end)
    }

    fn whole(body: &[u8], capacity: usize) -> Outcome {
        split(&mut Elements::new(capacity), [body].into_iter())
    }

    /// The body split at every position, and into chunks of one to nine bytes, gives what it gives whole.
    fn any_chunking(body: &[u8], capacity: usize) -> Outcome {
        let expected = whole(body, capacity);
        let mut elements = Elements::new(capacity);
        for at in 0..=body.len() {
            let (first, second) = body.split_at(at);
            assert_eq!(
                split(&mut elements, [first, second].into_iter()),
                expected,
                "split at {at}"
            );
        }
        for size in 1..10 {
            assert_eq!(
                split(&mut elements, body.chunks(size)),
                expected,
                "chunks of {size}"
            );
        }
        expected
    }

    fn texts(outcome: &Outcome) -> Vec<&str> {
        outcome
            .0
            .iter()
            .map(|(raw, _)| str::from_utf8(raw).unwrap())
            .collect()
    }

    /// xorshift64: the same numbers in every run.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, bound: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 11) as usize % bound
        }

        fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
            from[self.below(from.len())]
        }

        fn text(&mut self, pieces: &[&[u8]], count: usize) -> Vec<u8> {
            (0..self.below(count))
                .flat_map(|_| self.pick(pieces).to_vec())
                .collect()
        }

        fn value(&mut self, depth: usize) -> String {
            match self.below(if depth == 0 { 5 } else { 8 }) {
                0 => self.pick(&["null", "true", "false"]).into(),
                1 => self.pick(&["0", "-1", "12.50", "1e9", "-0.1E-7"]).into(),
                2..5 => self.string(),
                5 => {
                    let items: Vec<_> = (0..self.below(4)).map(|_| self.value(depth - 1)).collect();
                    format!(
                        "[{}{}]",
                        self.pick(&["", " "]),
                        items.join(self.pick(&[",", " , ", ",\n"]))
                    )
                }
                _ => {
                    let items: Vec<_> = (0..self.below(4))
                        .map(|_| format!("{} :{}", self.string(), self.value(depth - 1)))
                        .collect();
                    format!("{{{}\t}}", items.join(self.pick(&[",", " , "])))
                }
            }
        }

        fn string(&mut self) -> String {
            let pieces = [
                "plain text",
                "a",
                "\\\"",
                "\\\\",
                "[",
                "}",
                ",",
                "\\u00e9",
                "é",
                "\\ud83d\\ude00",
                "😀",
                "\\n",
            ];
            let content: String = (0..self.below(7)).map(|_| self.pick(&pieces)).collect();
            format!("\"{content}\"")
        }
    }

    #[test]
    fn elements_of_good_bodies() {
        for (body, expected) in [
            ("[]", vec![]),
            (" [ \r\n\t] ", vec![]),
            ("[{}]", vec!["{}"]),
            ("[{},{}]", vec!["{}", "{}"]),
            (
                " [ {} , [ ] , \"a\" , 1 , -2.5e3 , true , null ] ",
                vec!["{}", "[ ]", "\"a\"", "1", "-2.5e3", "true", "null"],
            ),
            ("[1,2\r,3\n,4\t,5 ]", vec!["1", "2", "3", "4", "5"]),
            (
                r#"[{"a":"]}\"\\"},"\\\\","\""]"#,
                vec![r#"{"a":"]}\"\\"}"#, r#""\\\\""#, r#""\"""#],
            ),
            (
                r#"[[[[{"a":[{}]}]]],[{"b":"é😀"}]]"#,
                vec![r#"[[[{"a":[{}]}]]]"#, r#"[{"b":"é😀"}]"#],
            ),
            (" {\"a\":[1]} ", vec!["{\"a\":[1]}"]),
        ] {
            let outcome = any_chunking(body.as_bytes(), 4096);
            assert_eq!(texts(&outcome), expected, "{body}");
            assert!(outcome.0.iter().all(|(_, cut)| cut.is_none()));
            assert_eq!(outcome.1, Ok(()), "{body}");
        }
    }

    #[test]
    fn bad_bodies_keep_the_elements_before_the_fault() {
        for (body, expected) in [
            ("", vec![]),
            (" ", vec![]),
            ("[", vec![]),
            ("]", vec![]),
            ("x", vec![]),
            ("1", vec![]),
            ("\"a\"", vec![]),
            ("[,]", vec![]),
            ("[x]", vec![]),
            ("[{}", vec!["{}"]),
            ("[{},", vec!["{}"]),
            ("[{},]", vec!["{}"]),
            ("[{} {}]", vec!["{}"]),
            ("[{},{\"a\":1]},{}]", vec!["{}"]),
            ("[{},[{]}]", vec!["{}"]),
            ("[{}]]", vec!["{}"]),
            ("[{}]{}", vec!["{}"]),
            ("{}{}", vec!["{}"]),
            ("{\"a\":1", vec![]),
            ("{},{}", vec!["{}"]),
            ("[1,\"a", vec!["1"]),
            ("[1}", vec!["1"]),
        ] {
            let outcome = any_chunking(body.as_bytes(), 4096);
            assert_eq!(texts(&outcome), expected, "{body}");
            assert_eq!(outcome.1, Err(Malformed), "{body}");
        }
    }

    #[test]
    fn nesting_is_counted_beyond_the_bits() {
        for depth in [63, 64, 65, 1000] {
            let good = format!("[{}{},1]", "[".repeat(depth), "]".repeat(depth));
            let outcome = any_chunking(good.as_bytes(), 4096);
            assert_eq!((outcome.0.len(), outcome.1), (2, Ok(())));
            let bad = format!("[{}{}}},1]", "[".repeat(depth), "]".repeat(depth - 1));
            assert_eq!(whole(bad.as_bytes(), 4096), (vec![], Err(Malformed)));
        }
    }

    #[test]
    fn random_arrays_as_serde_reads_them() {
        let mut numbers = Numbers(7);
        for _ in 0..300 {
            let values: Vec<_> = (0..numbers.below(5)).map(|_| numbers.value(4)).collect();
            let body = format!("[{}]", values.join(" ,\n"));
            serde_json::from_str::<serde_json::Value>(&body).unwrap();
            let outcome = if body.len() < 400 {
                any_chunking(body.as_bytes(), 1 << 20)
            } else {
                split(&mut Elements::new(1 << 20), body.as_bytes().chunks(3))
            };
            assert_eq!(texts(&outcome), values);
            assert_eq!(outcome.1, Ok(()));
            for value in values {
                check_members(&value);
            }
        }
    }

    fn check_members(object: &str) {
        let mut walk = members(object.as_bytes(), None);
        let found: Vec<_> = walk.by_ref().collect();
        assert_eq!(walk.ended_well(), object.starts_with('{'), "{object}");
        let Ok(serde_json::Value::Object(expected)) = serde_json::from_str(object) else {
            return assert!(found.is_empty());
        };
        for member in &found {
            assert!(member.complete);
            let key: String =
                serde_json::from_str(&format!("\"{}\"", str::from_utf8(member.key).unwrap()))
                    .unwrap();
            // Of several members with one name serde keeps the last.
            if found.iter().rev().find(|other| other.key == member.key) == Some(member) {
                assert_eq!(value_of(member.value), expected[&key], "{object}");
            }
        }
    }

    fn value_of(value: Value) -> serde_json::Value {
        match value {
            Value::String(raw) => {
                let mut text = Vec::new();
                assert!(!append_unescaped(&mut text, raw, usize::MAX));
                String::from_utf8(text).unwrap().into()
            }
            Value::Number(text) => {
                assert!(number_is_valid(text));
                serde_json::from_slice(text).unwrap()
            }
            Value::Nested(text) => serde_json::from_slice(text).unwrap(),
            Value::True => true.into(),
            Value::False => false.into(),
            Value::Null => serde_json::Value::Null,
        }
    }

    #[test]
    fn chunks_after_a_fault_are_refused_until_finish() {
        let mut elements = Elements::new(64);
        for mut chunk in [&b"[x"[..], b"{}", b"]"] {
            assert_eq!(elements.next(&mut chunk), Err(Malformed));
        }
        assert_eq!(elements.finish(), Err(Malformed));
        // Nothing of one body is left when the next begins.
        for (body, count) in [("{}", 1), ("[1,2]", 2), ("{\"a\"", 0), ("[3,4]", 2)] {
            let (found, end) = split(&mut elements, body.as_bytes().chunks(2));
            assert_eq!((found.len(), end.is_ok()), (count, count > 0), "{body}");
        }
    }

    #[test]
    fn whole_elements_are_borrowed_and_long_buffers_given_back() {
        let body = format!("[{{\"a\":\"{}\"}},1]", "x".repeat(100_000));
        let mut elements = Elements::new(256 * 1024);
        let mut input = body.as_bytes();
        let element = elements.next(&mut input).unwrap().unwrap();
        assert_eq!(element.raw.as_ptr(), body.as_bytes()[1..].as_ptr());
        assert_eq!(elements.assembly.capacity(), 0);
        elements.finish().unwrap_err();

        let (mut first, mut second) = body.as_bytes().split_at(50_000);
        assert_eq!(elements.next(&mut first), Ok(None));
        assert_eq!(elements.assembly.capacity(), 49_999);
        assert!(elements.next(&mut second).unwrap().is_some());
        assert!(elements.next(&mut second).unwrap().is_some());
        assert_eq!(elements.assembly.capacity(), 0);
    }

    /// The members of an element, with the text of their values.
    fn walk(raw: &[u8], cut: Option<&Cut>) -> (Vec<(String, String, bool)>, bool) {
        let mut walk = members(raw, cut);
        let found = walk
            .by_ref()
            .map(|member| {
                let text = match member.value {
                    Value::String(text) | Value::Number(text) | Value::Nested(text) => text,
                    Value::True => b"true",
                    Value::False => b"false",
                    Value::Null => b"null",
                };
                let text = String::from_utf8_lossy(text).into_owned();
                (
                    String::from_utf8_lossy(member.key).into_owned(),
                    text,
                    member.complete,
                )
            })
            .collect();
        (found, walk.ended_well())
    }

    #[test]
    fn an_element_as_long_as_the_capacity_is_whole() {
        let body = format!("[{{\"a\":\"{}\"}}]", "x".repeat(2040));
        let length = body.len() - 2;
        assert_eq!(
            any_chunking(body.as_bytes(), length).0,
            [(body.as_bytes()[1..=length].to_vec(), None)]
        );
        let (raw, cut) = any_chunking(body.as_bytes(), length - 1).0.remove(0);
        let limit = length - 1 - RESERVE_BYTES;
        assert_eq!(
            cut,
            Some(Cut {
                at: limit,
                original_bytes: 2042
            })
        );
        assert_eq!(
            raw,
            format!("{{\"a\":\"{}\"}}", "x".repeat(limit - 6)).as_bytes()
        );
        // A number has no last byte of its own; nothing is dropped of one that just fits.
        let number = format!("[{},2]", "1".repeat(2000));
        assert_eq!(
            texts(&any_chunking(number.as_bytes(), 2000)),
            ["1".repeat(2000).as_str(), "2"]
        );
    }

    #[test]
    fn what_is_clean_is_copied_and_nothing_else() {
        for (raw, clean) in [
            ("plain \\t \\u00e9 é \\ud83d\\ude00".as_bytes(), true),
            (b"", true),
            (b"a\"b", false),
            (b"a\\", false),
            (b"a\\x", false),
            (b"a\nb", false),
            (b"\xff", false),
            (b"\\ud83d", false),
        ] {
            let mut out = Vec::new();
            assert_eq!(append_if_clean(&mut out, raw, raw.len()), clean);
            assert_eq!(out, if clean { raw } else { b"" });
            assert!(raw.is_empty() || !append_if_clean(&mut out, raw, raw.len() - 1));
        }
    }

    #[test]
    fn a_long_string_is_cut_between_characters_and_escapes() {
        const CAPACITY: usize = 1500;
        for unit in [
            "x",
            "é",
            "€",
            "😀",
            r"\n",
            r"\\",
            r#"\""#,
            r"\u00e9",
            r"\ud83d\ude00",
            r"\ud83d",
            r"\\n\ud83d\ude00é",
        ] {
            for shift in 0..13 {
                let text = format!("{}{}", "-".repeat(shift), unit.repeat(2500 / unit.len()));
                let body = format!(
                    r#"[ {{"t":1, "record" : "{text}" , "type":"function"}} , {{"next":2}}]"#
                );
                let chunkings = [whole(body.as_bytes(), CAPACITY), {
                    split(
                        &mut Elements::new(CAPACITY),
                        body.as_bytes().chunks(1 + shift),
                    )
                }];
                assert_eq!(chunkings[0], chunkings[1]);
                let (found, end) = &chunkings[0];
                assert_eq!((found.len(), *end), (2, Ok(())));
                let (raw, cut) = &found[0];
                let cut = cut.as_ref().unwrap();
                assert_eq!(cut.original_bytes, text.len() + 2);
                assert_eq!(raw[cut.at], b'"');
                let limit = CAPACITY - RESERVE_BYTES;
                assert!(
                    cut.at <= limit && cut.at + unit.len() > limit,
                    "{unit} {shift}"
                );
                let (members, well) = walk(raw, Some(cut));
                assert!(well);
                let [time, record, kind] = &members[..] else {
                    panic!("{members:?}")
                };
                assert_eq!(time, &("t".into(), "1".into(), true));
                assert_eq!(kind, &("type".into(), "function".into(), true));
                assert!(text.starts_with(&record.1) && !record.2);
                let units = record.1.trim_start_matches('-');
                assert!(
                    unit.len() > 12 || units.len().is_multiple_of(unit.len()),
                    "{unit} {shift}"
                );
                if unit != r"\ud83d" {
                    serde_json::from_slice::<serde_json::Value>(raw).unwrap();
                }
                assert_eq!(found[1], (b"{\"next\":2}".to_vec(), None));
            }
        }
        let body = format!(
            r#"[{{"record":"{}","type":"function"}}]"#,
            r"\ud83d\ude00é€\n".repeat(120)
        );
        assert_eq!(any_chunking(body.as_bytes(), CAPACITY).1, Ok(()));
    }

    #[test]
    fn a_long_nested_value_is_cut_and_the_members_after_it_are_found() {
        let inside = format!(
            r#"{{"level":"INFO","list":[{{"a":[1,"}}"]}}],"message":"{}"}}"#,
            r"text\u00e9\n".repeat(250)
        );
        let body = format!(r#"[{{"time":"now","record":{inside},"type":"function"}},2]"#);
        let (found, end) = any_chunking(body.as_bytes(), 1500);
        assert_eq!((found.len(), end), (2, Ok(())));
        let (raw, cut) = &found[0];
        let cut = cut.as_ref().unwrap();
        assert_eq!(cut.original_bytes, inside.len());
        let (outer, well) = walk(raw, Some(cut));
        assert!(well);
        assert_eq!(outer[0], ("time".into(), "now".into(), true));
        assert_eq!(outer[2], ("type".into(), "function".into(), true));
        let (key, record, complete) = &outer[1];
        assert_eq!((key.as_str(), *complete), ("record", false));
        assert!(inside.starts_with(record) && record.len() > 400);
        let (inner, well) = walk(record.as_bytes(), None);
        assert!(!well);
        assert_eq!(inner[0], ("level".into(), "INFO".into(), true));
        assert_eq!(inner[1], ("list".into(), r#"[{"a":[1,"}"]}]"#.into(), true));
        let (key, message, complete) = &inner[2];
        assert_eq!((key.as_str(), *complete), ("message", false));
        assert!(
            ["text", r"text\u00e9", r"\n"]
                .iter()
                .any(|end| message.ends_with(end) || message.ends_with("tex"))
        );
    }

    #[test]
    fn a_value_that_ends_in_the_reserve_gives_way_to_those_after_it() {
        let tail = format!(r#""type":"function","more":"{}"}}"#, "y".repeat(700));
        for (value, closing) in [
            (format!("\"{}\"", "x".repeat(800)), "\""),
            (format!("[{}]", "1,".repeat(400)), ""),
        ] {
            let body = format!("[{{\"record\":{value},{tail}]");
            let (found, end) = any_chunking(body.as_bytes(), 1500);
            assert_eq!(end, Ok(()));
            let (raw, cut) = &found[0];
            assert_eq!(
                cut,
                &Some(Cut {
                    at: 476,
                    original_bytes: value.len()
                })
            );
            let expected = format!("{{\"record\":{}{closing},{tail}", &value[..476 - 10]);
            assert_eq!(str::from_utf8(raw), Ok(expected.as_str()));
            let (members, well) = walk(raw, cut.as_ref());
            assert!(well && members.len() == 3);
            assert_eq!(members[1], ("type".into(), "function".into(), true));
        }
    }

    #[test]
    fn what_overflows_the_reserve_is_dropped_and_the_rest_stays_walkable() {
        let long = "y".repeat(2000);
        for (body, count, cut_kept) in [
            (
                format!(r#"[{{"a":"{long}","b":"{long}","c":1}},2]"#),
                2,
                true,
            ),
            (
                format!(r#"[{{"a":[{}],"{long}":1}},2]"#, "[],".repeat(700)),
                1,
                true,
            ),
            // Every member is small, and none can be cut so that it helps.
            (
                format!(r#"[{{{}"z":1}},2]"#, r#""key":12345,"#.repeat(300)),
                125,
                true,
            ),
            // No members.
            (format!("[\"{long}\",2]"), 0, false),
            (format!("[[{}],2]", "1,".repeat(1000)), 0, false),
            (format!(r#"[{{"{long}":1}},2]"#), 0, false),
            // A long number is cut like a nested value.
            (
                format!(r#"[{{"n":{},"b":1}},2]"#, "1".repeat(5000)),
                2,
                true,
            ),
        ] {
            let (found, end) = any_chunking(body.as_bytes(), 1500);
            assert_eq!((found.len(), end), (2, Ok(())), "{body}");
            let (raw, cut) = &found[0];
            assert!(raw.len() <= 1500);
            assert_eq!(cut.is_some(), cut_kept, "{body}");
            let (members, _) = walk(raw, cut.as_ref());
            assert_eq!(members.len(), count, "{body} {members:?}");
            assert_eq!(found[1].0, b"2");
        }
    }

    #[test]
    fn every_capacity_holds() {
        let body = format!(
            r#"[{{"a":"é\n\ud83d\ude00","n":[1,{{"b":2}}],"c":{},"d":"{}"}},2]"#,
            "1".repeat(30),
            "z".repeat(1100)
        );
        for capacity in (0..130).chain(1020..1260) {
            let (found, end) = whole(body.as_bytes(), capacity);
            assert_eq!(found.len(), 2);
            assert_eq!(end, Ok(()));
            assert!(found[0].0.len() <= capacity);
            walk(&found[0].0, found[0].1.as_ref());
            for size in [1, 7, 64] {
                let chunked = split(&mut Elements::new(capacity), body.as_bytes().chunks(size));
                assert_eq!(chunked.0, found, "{capacity} {size}");
            }
        }
    }

    #[test]
    fn members_of_truncated_and_damaged_objects() {
        for (object, expected, well) in [
            ("{}", vec![], true),
            (" { } ", vec![], true),
            (r#"{"a":1}"#, vec!["a=1"], true),
            (
                " {\"a\" : true\t,\n\"b\\\"\":[1,{}] , \"c\":\"x\" } ",
                vec!["a=true", "b\\\"=[1,{}]", "c=x"],
                true,
            ),
            (r#"{"a":1} x"#, vec!["a=1"], false),
            (r#"{"a":1}}"#, vec!["a=1"], false),
            (r#"{"a":1,}"#, vec!["a=1"], false),
            (r#"{,"a":1}"#, vec![], false),
            (r#"{"a":1 "b":2}"#, vec!["a=1"], false),
            (r#"{"a":truth,"b":1}"#, vec![], false),
            (r#"{"a":true,"b":[}]}"#, vec!["a=true"], false),
            (r#"{"a":,"b":1}"#, vec![], false),
            (r#"{"a":x}"#, vec![], false),
            (r#"{"a" 1}"#, vec![], false),
            ("{a:1}", vec![], false),
            ("", vec![], false),
            ("[]", vec![], false),
            ("[\"a\":1}", vec![], false),
            ("x\"a\":1}", vec![], false),
            ("{\"a\":truex}", vec![], false),
            ("{\"a\":tru}", vec![], false),
            ("\"a\"", vec![], false),
            (r#"{"a":12"#, vec!["a=12?"], false),
            (r#"{"a":fal"#, vec!["a=false?"], false),
            (r#"{"a":"x\"#, vec!["a=x\\?"], false),
            (r#"{"a":""#, vec!["a=?"], false),
            (r#"{"a":{"b":[1"#, vec![r#"a={"b":[1?"#], false),
            (r#"{"a":1,"b":"#, vec!["a=1"], false),
            (r#"{"a":1,"b"#, vec!["a=1"], false),
        ] {
            let (found, ended_well) = walk(object.as_bytes(), None);
            let found: Vec<_> = found
                .iter()
                .map(|(key, text, complete)| {
                    format!("{key}={text}{}", if *complete { "" } else { "?" })
                })
                .collect();
            assert_eq!(
                (found, ended_well),
                (expected.iter().map(ToString::to_string).collect(), well),
                "{object}"
            );
        }
        let offsets: Vec<_> = members(br#"{"a": 1,"b":[2]}"#, None)
            .map(|member| member.offset)
            .collect();
        assert_eq!(offsets, [6, 12]);
    }

    #[test]
    fn numbers() {
        for (text, valid, value) in [
            ("0", true, Some(0)),
            ("694", true, Some(694)),
            ("694.0", true, Some(694)),
            ("694.000", true, Some(694)),
            ("694.5", true, None),
            ("6.94e2", true, None),
            ("18446744073709551615", true, Some(u64::MAX)),
            ("18446744073709551616", true, None),
            ("99999999999999999999999", true, None),
            ("-1", true, None),
            ("-0", true, None),
            ("0.1", true, None),
            ("-0.0e+10", true, None),
            ("1E9", true, None),
            ("1e-9", true, None),
            ("007", false, None),
            ("01", false, None),
            ("", false, None),
            ("-", false, None),
            ("+1", false, None),
            ("1.", false, None),
            (".5", false, None),
            ("1e", false, None),
            ("1e+", false, None),
            ("1x", false, None),
            ("0x10", false, None),
            ("1.0.0", false, None),
            ("NaN", false, None),
        ] {
            assert_eq!(number_is_valid(text.as_bytes()), valid, "{text}");
            assert_eq!(integer(text.as_bytes()), value, "{text}");
            assert_eq!(
                serde_json::from_str::<serde_json::Number>(text).is_ok(),
                valid,
                "{text}"
            );
        }
    }

    #[test]
    fn raw_strings_become_valid() {
        for (raw, expected) in [
            (&b""[..], ""),
            (b"plain", "plain"),
            (
                b"a longer plain text without anything",
                "a longer plain text without anything",
            ),
            (br#"\"\\\/\b\f\n\r\t\u00e9"#, r#"\"\\\/\b\f\n\r\t\u00e9"#),
            (br"\ud83d\ude00", r"\ud83d\ude00"),
            (br"\ud83d", r"\ufffd"),
            (br"\ude00 \uD83Dx", r"\ufffd \ufffdx"),
            (br"\ud83d\ud83d\ude00", r"\ufffd\ud83d\ude00"),
            (br"\ud83d\n", r"\ufffd\n"),
            (br"\x41", r"\\x41"),
            (br"\u12", r"\\u12"),
            (br"\u12g4", r"\\u12g4"),
            (br"\U0041\u+041", r"\\U0041\\u+041"),
            (b"12345678\\", r"12345678\\"),
            (b"a\"b", r#"a\"b"#),
            (
                b"\0\x01\x1f\x7f\n\r\t\\\n",
                "\\u0000\\u0001\\u001f\x7f\\n\\r\\t\\\\\\n",
            ),
            ("é€😀\u{7ff}".as_bytes(), "é€😀\u{7ff}"),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
            (b"caf\xe9 and \xc3\xa9", "caf\u{fffd} and é"),
            (b"cut \xf0\x9f\x98", "cut \u{fffd}"),
            (
                b"\xe2\x82\\n\xed\xa0\x80",
                "\u{fffd}\\n\u{fffd}\u{fffd}\u{fffd}",
            ),
        ] {
            let mut out = b">".to_vec();
            assert!(!append_raw_string(&mut out, raw, usize::MAX));
            assert_eq!(str::from_utf8(&out[1..]), Ok(expected), "{raw:?}");
        }
    }

    type Append = fn(&mut Vec<u8>, &[u8], usize) -> bool;

    #[test]
    fn strings_keep_their_meaning_and_their_limit() {
        let pieces: [&[u8]; 21] = [
            b"a",
            b"plain text of some length",
            b"\\n",
            b"\\\"",
            b"\\\\",
            b"\\u00e9",
            b"\\ud83d\\ude00",
            b"\\ud83d",
            b"\\ude00",
            b"\\",
            b"\\u1",
            b"\"",
            b"\n",
            b"\x01",
            "é".as_bytes(),
            "€".as_bytes(),
            "😀".as_bytes(),
            b"\xff",
            b"\xe2\x82",
            b"\x80",
            b"u",
        ];
        let functions: [(Append, bool); 3] = [
            (append_raw_string, true),
            (append_escaped, true),
            (append_unescaped, false),
        ];
        let mut numbers = Numbers(42);
        for round in 0..3000 {
            let text = numbers.text(&pieces, 12);
            let mut decoded = Vec::new();
            for (append, is_json) in functions {
                let mut full = Vec::new();
                assert!(!append(&mut full, &text, usize::MAX), "{text:?}");
                let full = String::from_utf8(full).unwrap();
                decoded.push(if is_json {
                    serde_json::from_str(&format!("\"{full}\"")).unwrap()
                } else {
                    full.clone()
                });
                for limit in 0..=full.len() {
                    let mut out = Vec::new();
                    assert_eq!(
                        append(&mut out, &text, limit),
                        limit < full.len(),
                        "{text:?} {limit}"
                    );
                    assert!(out.len() <= limit && out.len() + 12 > limit);
                    let out = String::from_utf8(out).unwrap();
                    assert!(full.starts_with(&out));
                    if is_json {
                        let kept: String = serde_json::from_str(&format!("\"{out}\"")).unwrap();
                        assert!(decoded.last().unwrap().starts_with(&kept));
                    }
                }
            }
            let [raw, escaped, unescaped] = &decoded[..] else {
                panic!()
            };
            assert_eq!(raw, unescaped, "{text:?} {round}");
            assert_eq!(*escaped, String::from_utf8_lossy(&text), "{text:?}");
        }
    }

    #[test]
    fn the_word_at_a_time_scans_find_what_a_byte_loop_finds() {
        let mut numbers = Numbers(3);
        for _ in 0..20_000 {
            // Mostly harmless bytes, so that the special ones stand in any place of a word.
            let text: Vec<u8> = (0..numbers.below(40))
                .map(|_| match numbers.below(8) {
                    0 => *numbers.pick(&[b"\"", b"\\", b"\x1f", b"\0"]),
                    1 => *numbers.pick(&[b"\xa2", b"\xdc", b"\x9f", b"\x80", b"\xff"]),
                    _ => *numbers.pick(&[b"b", b"\x20", b"\x21", b"\x23", b"\x5b", b"\x5d"]),
                })
                .map(|[byte]| byte)
                .collect();
            let expected = text.iter().position(|byte| matches!(byte, b'"' | b'\\'));
            let found = quote_or_backslash(&text).map(|(byte, behind)| {
                let at = text.len() - behind.len() - 1;
                assert_eq!(byte, text[at]);
                at
            });
            assert_eq!(found, expected, "{text:?}");
            let expected = text
                .iter()
                .position(|&byte| byte < b' ' || matches!(byte, b'"' | b'\\'))
                .unwrap_or(text.len());
            let (at, ascii) = special(&text);
            assert_eq!(at, expected, "{text:?}");
            assert!(!ascii || text[..at].is_ascii());
            assert!(ascii || !text.is_ascii());
        }
    }
}
