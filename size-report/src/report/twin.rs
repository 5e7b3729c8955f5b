//! The twin of the shipped program: the same code, with the sections and symbols that the shipped one lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::{Context, Result, ensure};
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol, SectionFlags, SymbolKind, elf};

use super::symbol::{self, Owner};

/// A function or a constant with a name, by address.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) address: u64,
    /// 0 where hand-written assembly does not say: then it reaches to the next one.
    pub(crate) bytes: u64,
    pub(crate) owner: Owner,
}

/// A section of the twin that has bytes in the shipped file.
pub(crate) struct Loaded<'data> {
    pub(crate) index: usize,
    pub(crate) name: String,
    pub(crate) address: u64,
    pub(crate) offset: u64,
    pub(crate) data: &'data [u8],
}

pub(crate) type Elf<'data> = ElfFile64<'data>;

/// The code that is weighed must be the code that is shipped. Only the ELF header may tell of sections.
pub(crate) fn ensure_twins(shipped: &[u8], with_symbols: &[u8], twin: &Elf) -> Result<()> {
    const HEADER_BYTES: usize = 64;
    let program = Elf::parse(shipped).context("the shipped program is no ELF file")?;
    let ranges = |file: &Elf| -> Vec<(u64, u64)> {
        file.segments()
            .map(|segment| segment.file_range())
            .collect()
    };
    ensure!(
        ranges(&program) == ranges(twin),
        "the program with symbols is not the shipped one: its segments differ. Did a source file change while both were built? Run it again"
    );
    for (offset, bytes) in ranges(&program) {
        let range = (offset as usize).max(HEADER_BYTES)..(offset + bytes) as usize;
        ensure!(
            shipped.get(range.clone()).is_some()
                && shipped.get(range.clone()) == with_symbols.get(range),
            "the program with symbols is not the shipped one: its code differs. Did a source file change while both were built? Run it again"
        );
    }
    Ok(())
}

pub(crate) fn loaded_sections<'data>(twin: &Elf<'data>) -> Result<Vec<Loaded<'data>>> {
    let mut loaded = Vec::new();
    for section in twin.sections() {
        let Some((offset, _)) = section.file_range().filter(|_| is_allocated(&section)) else {
            continue;
        };
        loaded.push(Loaded {
            index: section.index().0,
            name: section.name()?.to_string(),
            address: section.address(),
            offset,
            data: section.data()?,
        });
    }
    loaded.sort_by_key(|section| section.offset);
    Ok(loaded)
}

/// The addresses that the program takes in memory.
pub(crate) fn image(twin: &Elf) -> Range<u64> {
    let ends = |segment: object::read::elf::ElfSegment64<'_, '_>| {
        let begin = segment.address();
        begin..begin + segment.size()
    };
    let ranges: Vec<Range<u64>> = twin.segments().map(ends).collect();
    let begin = ranges.iter().map(|range| range.start).min();
    let end = ranges.iter().map(|range| range.end).max();
    begin.unwrap_or_default()..end.unwrap_or_default()
}

pub(crate) fn is_allocated<'data>(section: &impl ObjectSection<'data>) -> bool {
    matches!(section.flags(), SectionFlags::Elf { sh_flags, .. } if sh_flags.0 & elf::SHF_ALLOC.0 != 0)
}

/// All symbols by section and address. Functions folded into one count once, under the name that sorts first.
pub(crate) fn names(twin: &Elf, modules: &BTreeSet<String>) -> BTreeMap<usize, Vec<Named>> {
    let mut found: BTreeMap<usize, BTreeMap<u64, Named>> = BTreeMap::new();
    for symbol in twin.symbols() {
        let (Some(index), Ok(name)) = (symbol.section_index(), symbol.name()) else {
            continue;
        };
        let is_named = matches!(
            symbol.kind(),
            SymbolKind::Text | SymbolKind::Data | SymbolKind::Unknown | SymbolKind::Label
        );
        // `$x` and `$d` tell arm64's code from its data, the linker marks the ends of sections, and LLVM numbers constants.
        let is_mark = name.starts_with('$') || name.ends_with("_end") || name.starts_with("anon.");
        if !is_named || name.is_empty() || is_mark {
            continue;
        }
        let named = Named {
            address: symbol.address(),
            bytes: symbol.size(),
            owner: symbol::owner(name, modules),
        };
        let here = found.entry(index.0).or_default();
        here.entry(named.address)
            .and_modify(|known| {
                let is_first = (known.bytes == 0, &known.owner) > (named.bytes == 0, &named.owner);
                known.bytes = known.bytes.max(named.bytes);
                if is_first {
                    known.owner = named.owner.clone();
                }
            })
            .or_insert(named);
    }
    let by_address =
        |(index, names): (_, BTreeMap<u64, Named>)| (index, names.into_values().collect());
    found.into_iter().map(by_address).collect()
}
