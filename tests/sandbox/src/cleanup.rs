//! What must not outlive this program: the process groups and directories of all its sandboxes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

static LEFT: Mutex<Left> = Mutex::new(Left {
    groups: BTreeSet::new(),
    directories: BTreeSet::new(),
});

struct Left {
    groups: BTreeSet<i32>,
    directories: BTreeSet<PathBuf>,
}

pub(crate) fn group_started(group: i32) {
    LEFT.lock().unwrap().groups.insert(group);
}

pub(crate) fn group_ended(group: i32) {
    LEFT.lock().unwrap().groups.remove(&group);
}

pub(crate) fn directory_made(path: &Path) {
    LEFT.lock().unwrap().directories.insert(path.into());
}

pub(crate) fn directory_removed(path: &Path) {
    LEFT.lock().unwrap().directories.remove(path);
}

/// Kills every process that any sandbox of this program has started, and removes their directories: for the moment
/// before an exit that runs no destructors, such as after Ctrl-C.
pub fn clean_up() {
    let left = LEFT.lock().unwrap();
    for group in &left.groups {
        // SAFETY: kill(2) has no memory effects; a group is struck off before its leader is reaped.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
    for directory in &left.directories {
        let _ = std::fs::remove_dir_all(directory);
    }
}
