//! The environment of an extension.

/// What an extension has in its environment on Lambda (as in the sandbox), and where its collector would be.
pub(crate) fn variables(api: &str, more: &[(String, String)]) -> Vec<(String, String)> {
    let collector = ["KINGLET_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]
        .map(|name| (name.to_string(), "http://127.0.0.1:4318".to_string()));
    let is_given = |name: &str| more.iter().any(|(given, _)| given == name);
    let mut all = kinglet_sandbox::environment(api);
    all.extend(collector);
    all.retain(|(name, _)| !is_given(name));
    all.extend(more.iter().cloned());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_given_replaces_the_fixed_one() {
        let given = [("AWS_REGION".to_string(), "here".to_string())];
        let all = variables("127.0.0.1:1", &given);
        let regions: Vec<_> = all
            .iter()
            .filter(|(name, _)| name == "AWS_REGION")
            .collect();
        assert_eq!(regions, [&given[0]]);
    }
}
