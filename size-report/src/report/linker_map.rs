//! The linker's map of a program: which section of the compiled code lies where.

/// A section that went into the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) address: u64,
    pub(crate) bytes: u64,
    /// The object, or the library and its member, `libc.a(strlen.lo)`.
    pub(crate) file: String,
    pub(crate) section: String,
}

/// By address.
pub(crate) fn parse(map: &str) -> Vec<Placed> {
    let mut placed: Vec<Placed> = map.lines().skip(1).filter_map(line).collect();
    placed.sort_by_key(|one| one.address);
    placed
}

/// `address address size alignment file:(section)`. Output sections and symbols have no `:(`.
fn line(line: &str) -> Option<Placed> {
    let mut words = line.split_ascii_whitespace();
    let address = u64::from_str_radix(words.next()?, 16).ok()?;
    let bytes = u64::from_str_radix(words.nth(1)?, 16).ok()?;
    let rest = words.nth(1)?;
    let (path, section) = rest.rsplit_once(":(")?;
    let file = path.rsplit('/').next().unwrap_or(path);
    (bytes > 0).then(|| Placed {
        address,
        bytes,
        file: file.to_string(),
        section: section.trim_end_matches(')').to_string(),
    })
}

/// What lies at an address.
pub(crate) fn at(placed: &[Placed], address: u64) -> Option<&Placed> {
    let after = placed.partition_point(|one| one.address <= address);
    let one = placed.get(after.checked_sub(1)?)?;
    (address < one.address + one.bytes).then_some(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_found_by_address() {
        let map = "             VMA              LMA     Size Align Out     In      Symbol\n          200160           200160     85a0    16 .rodata\n          20ac1b           20ac1b       4d     1         /lib/libc.a(strlen.lo):(.text.strlen)\n          20ac1b           20ac1b       4d     1                 strlen\n";
        let placed = parse(map);
        assert_eq!(placed.len(), 1, "{placed:?}");
        assert_eq!(placed[0].file, "libc.a(strlen.lo)");
        assert_eq!(at(&placed, 0x20_ac67), Some(&placed[0]));
        assert_eq!(at(&placed, 0x20_ac68), None);
        assert_eq!(at(&placed, 0x20_ac1a), None);
    }
}
