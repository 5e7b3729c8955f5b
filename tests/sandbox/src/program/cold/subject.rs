//! What is measured.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::arguments::Cold;
use crate::program::rival::{self, Rival};
use crate::program::{extension, paint};

/// The program that everything is compared with.
pub(crate) const FLOOR: &str = "floor";
const RIVALS: [&str; 2] = [FLOOR, "lambda-extension"];

/// One extension.
pub(crate) struct Subject {
    /// Its place in the table.
    pub(crate) index: usize,
    pub(crate) name: String,
    /// Its executable.
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    /// A link to it in an `extensions` directory of its own, whose name is the one that Lambda knows it by.
    pub(crate) link: PathBuf,
}

/// The extension in question first, then those it is measured against. `directory` is where their links are made.
pub(crate) fn find_all(cold: &Cold, directory: &Path) -> Result<Vec<Subject>> {
    let mut all = vec![main_subject(cold)?];
    if cold.against.is_empty() {
        for name in RIVALS {
            match rival::find(name) {
                Ok(rival) => all.push(rival),
                Err(error) => {
                    let text = format!("{name} is not measured: {error:#}");
                    anstream::eprintln!("{}", paint::bad(text));
                }
            }
        }
    }
    for named in &cold.against {
        all.push(rival::find(named)?);
    }
    let names: Vec<String> = all.iter().map(|one| one.name.clone()).collect();
    let subjects = all.into_iter().enumerate();
    subjects
        .map(|(index, one)| {
            // Two of the same name are told apart by their paths.
            let is_unique = names.iter().filter(|name| **name == one.name).count() == 1;
            let shown = one.path.display().to_string();
            let name = if is_unique { one.name.clone() } else { shown };
            Subject::link(index, name, &one.path, directory)
        })
        .collect()
}

/// `--extension`; or the layer, if `cargo layer` has built it; or a release build of kinglet.
fn main_subject(cold: &Cold) -> Result<Rival> {
    let path = match (&cold.extension, layer()) {
        (None, Some(layer)) => layer,
        (named, _) => extension::find(named.as_deref())?,
    };
    let name = path.file_name().context("an extension is a file")?;
    Ok(Rival {
        name: name.to_string_lossy().into_owned(),
        path,
    })
}

fn layer() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let path = workspace
        .join(target)
        .join("layer")
        .join(std::env::consts::ARCH)
        .join("extensions/kinglet");
    path.is_file().then_some(path)
}

impl Subject {
    fn link(index: usize, name: String, path: &Path, directory: &Path) -> Result<Subject> {
        let shown = path.display();
        let path = path
            .canonicalize()
            .with_context(|| format!("{shown} is not there"))?;
        let metadata = path.metadata()?;
        if !is_executable(&metadata) {
            bail!("{shown} is not an executable file; try chmod +x {shown}");
        }
        let extensions = directory.join(index.to_string()).join("extensions");
        std::fs::create_dir_all(&extensions)?;
        let link = extensions.join(path.file_name().context("an extension is a file")?);
        std::os::unix::fs::symlink(&path, &link)?;
        Ok(Subject {
            index,
            name,
            path,
            bytes: metadata.len(),
            link,
        })
    }
}

fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
}
