//! The zip that Lambda takes: `extensions/kinglet` and nothing else.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// Where Lambda looks for extensions, below `/opt`.
pub(crate) const ENTRY: &str = "extensions/kinglet";

/// Lambda runs it only with the bits to run; a zip made elsewhere has often lost them.
const MODE: u32 = 0o755;

/// From 10 on this is zopfli, with so many rounds more than 9.
const COMPRESSION_LEVEL: i64 = 24;

/// Packs the program. The same program gives the same bytes: the zip holds no time of day and no owner.
pub(crate) fn pack(program: &Path, archive: &Path) -> Result<usize> {
    let bytes =
        fs::read(program).with_context(|| format!("{} cannot be read", program.display()))?;
    let packed = compressed(&bytes)?;
    verify(&packed, &bytes)?;
    fs::write(archive, &packed)
        .with_context(|| format!("{} cannot be written", archive.display()))?;
    Ok(packed.len())
}

fn compressed(program: &[u8]) -> Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(COMPRESSION_LEVEL))
        .last_modified_time(DateTime::default())
        .unix_permissions(MODE);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(ENTRY, options)?;
    zip.write_all(program)?;
    Ok(zip.finish()?.into_inner())
}

/// Reads the zip as Lambda will: a layer that was packed wrongly fails only once a function starts.
fn verify(packed: &[u8], program: &[u8]) -> Result<()> {
    let mut zip = ZipArchive::new(Cursor::new(packed))?;
    ensure!(zip.len() == 1, "the zip has {} entries", zip.len());
    let mut entry = zip.by_name(ENTRY)?;
    let mode = entry.unix_mode().unwrap_or_default() & 0o777;
    ensure!(mode == MODE, "the zip says mode {mode:o}");
    let mut unpacked = Vec::with_capacity(program.len());
    entry.read_to_end(&mut unpacked)?;
    ensure!(
        unpacked == program,
        "the zip does not unpack to what went in"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_program_gives_the_same_zip() {
        let program: Vec<u8> = (0..20_000_u32)
            .flat_map(|n| (n / 7).to_le_bytes())
            .collect();
        let packed = compressed(&program).unwrap();
        assert_eq!(packed, compressed(&program).unwrap());
        verify(&packed, &program).unwrap();
        assert!(verify(&packed, b"another").is_err());
    }

    #[test]
    fn a_program_without_the_bit_to_run_is_noticed() {
        let options = SimpleFileOptions::default().unix_permissions(0o644);
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file(ENTRY, options).unwrap();
        zip.write_all(b"program").unwrap();
        let packed = zip.finish().unwrap().into_inner();
        let error = verify(&packed, b"program").unwrap_err();
        assert!(error.to_string().contains("644"), "{error}");
    }
}
