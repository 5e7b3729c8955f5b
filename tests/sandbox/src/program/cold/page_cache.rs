//! Takes a file out of the page cache, so that a start reads it from disk as the first in a new sandbox does.
//!
//! What stays: shared libraries (others use them), the directory entries and the inode, and whatever the disk and its host have
//! cached. A real cold disk is slower still.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;

use anyhow::{Context, Result, bail};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

/// Drops the file's pages, and looks whether they are gone: a file system in memory keeps them.
pub(crate) fn drop_file(path: &Path) -> Result<()> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("{shown} cannot be read"))?;
    // Only what is on disk can be dropped.
    file.sync_all()?;
    posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
    let (resident, all) = resident_pages(&file)?;
    if resident > 0 {
        bail!(
            "{resident} of the {all} pages of {shown} stay in the page cache: it is in use, or its file system has no disk"
        );
    }
    Ok(())
}

fn resident_pages(file: &File) -> Result<(usize, usize)> {
    let length = usize::try_from(file.metadata()?.len())?;
    let page = page_bytes();
    let mut residency = vec![0; length.div_ceil(page)];
    if length == 0 {
        return Ok((0, 0));
    }
    // SAFETY: a mapping that is never read, of the file's length, unmapped below; the array has a byte for each page.
    let looked = unsafe {
        let (protection, flags) = (libc::PROT_READ, libc::MAP_SHARED);
        let at = libc::mmap(
            std::ptr::null_mut(),
            length,
            protection,
            flags,
            file.as_raw_fd(),
            0,
        );
        if at == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error()).context("the file cannot be mapped");
        }
        let looked = libc::mincore(at, length, residency.as_mut_ptr());
        libc::munmap(at, length);
        looked
    };
    if looked != 0 {
        return Err(std::io::Error::last_os_error()).context("the page cache cannot be looked at");
    }
    let resident = residency.iter().filter(|page| *page & 1 == 1).count();
    Ok((resident, residency.len()))
}

fn page_bytes() -> usize {
    // SAFETY: asks for a constant of the system.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_on_disk_is_dropped_and_comes_back_when_it_is_read() {
        let file = tempfile::NamedTempFile::new_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        std::fs::write(file.path(), vec![7; 100_000]).unwrap();
        assert_eq!(resident_pages(file.as_file()).unwrap(), (25, 25));
        drop_file(file.path()).unwrap();
        assert_eq!(resident_pages(file.as_file()).unwrap().0, 0);
        std::fs::read(file.path()).unwrap();
        assert!(resident_pages(file.as_file()).unwrap().0 > 0);
    }
}
