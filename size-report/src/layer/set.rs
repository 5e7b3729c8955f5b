//! Which features are built in, and what the set is called.

use clap::Args;

/// As cargo takes them.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Set {
    /// Features to add, as `full`; Cargo.toml lists them.
    #[arg(long, value_delimiter = ',')]
    features: Vec<String>,
    /// Without the features that are in by default: with no others the smallest layer.
    #[arg(long)]
    no_default_features: bool,
}

impl Set {
    /// These on top of the smallest.
    pub(crate) fn smallest(features: &[&str]) -> Set {
        Set {
            features: features.iter().map(ToString::to_string).collect(),
            no_default_features: true,
        }
    }

    /// All that there is.
    pub(crate) fn full() -> Set {
        Set {
            features: vec!["full".to_string()],
            no_default_features: false,
        }
    }

    /// What distinguishes its files: nothing for the default, the features otherwise.
    pub(crate) fn name(&self) -> Option<String> {
        let mut words = self.features.clone();
        words.sort();
        if self.no_default_features {
            words.insert(0, "smallest".to_string());
        }
        (!words.is_empty()).then(|| words.join("+"))
    }

    /// What cargo is told.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        if self.no_default_features {
            arguments.push("--no-default-features".to_string());
        }
        if !self.features.is_empty() {
            arguments.extend(["--features".to_string(), self.features.join(",")]);
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_set_has_its_own_files() {
        let set = |features: &[&str], no_default_features| Set {
            features: features.iter().map(ToString::to_string).collect(),
            no_default_features,
        };
        for (features, is_bare, name, arguments) in [
            (vec![], false, None, ""),
            (vec![], true, Some("smallest"), "--no-default-features"),
            (vec!["full"], false, Some("full"), "--features full"),
            (
                vec!["metrics", "json"],
                true,
                Some("smallest+json+metrics"),
                "--no-default-features --features metrics,json",
            ),
        ] {
            let set = set(&features, is_bare);
            assert_eq!(set.name().as_deref(), name);
            assert_eq!(set.arguments().join(" "), arguments);
        }
    }
}
