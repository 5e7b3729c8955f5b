//! The environment of an extension.

/// What an extension has in its environment on Lambda (as in the sandbox), and where its collector would be.
pub(crate) fn variables(api: &str, more: &[(String, String)]) -> Vec<(String, String)> {
    let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".into());
    let fixed = [
        ("AWS_LAMBDA_RUNTIME_API", api),
        ("AWS_LAMBDA_FUNCTION_NAME", "orders"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_FORMAT", "Text"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "example"),
        ("AWS_SESSION_TOKEN", "example"),
        ("TZ", ":UTC"),
        ("LANG", "en_US.UTF-8"),
        ("PATH", &path),
        ("KINGLET_ENDPOINT", "http://127.0.0.1:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
    ];
    let is_given = |name: &str| more.iter().any(|(given, _)| given == name);
    let fixed = fixed.into_iter().filter(|(name, _)| !is_given(name));
    fixed
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .chain(more.iter().cloned())
        .collect()
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
