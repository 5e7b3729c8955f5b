//! What a sandbox is started with.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::deviation::Deviations;
use crate::function::Function;
use crate::telemetry::LogFormat;
use crate::watch::Happening;

/// The kind of sandbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    OnDemand,
    /// Initialized long before; says so in its events and its environment.
    ProvisionedConcurrency,
    /// Several invocations at once, no freeze, extensions get SHUTDOWN only.
    ManagedInstances,
}

impl Mode {
    pub(crate) fn initialization_type(self) -> &'static str {
        match self {
            Mode::OnDemand => "on-demand",
            Mode::ProvisionedConcurrency => "provisioned-concurrency",
            Mode::ManagedInstances => "lambda-managed-instances",
        }
    }
}

pub(crate) type Watch = Arc<dyn Fn(&Happening) + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) extensions: Vec<PathBuf>,
    /// What the user configures; the function sees it too.
    pub(crate) environment: Vec<(String, OsString)>,
    pub(crate) function: Function,
    pub(crate) function_name: String,
    pub(crate) function_version: String,
    pub(crate) memory_mb: u64,
    pub(crate) mode: Mode,
    pub(crate) log_format: Option<LogFormat>,
    /// Lines the built-in function writes in its init.
    pub(crate) init_lines: Vec<String>,
    /// How long the built-in function's init takes.
    pub(crate) init_takes: Duration,
    pub(crate) init_timeout: Duration,
    pub(crate) function_timeout: Duration,
    pub(crate) shutdown_budget: Duration,
    pub(crate) freezes: bool,
    pub(crate) deviations: Deviations,
    pub(crate) watch: Option<Watch>,
}

/// What an extension has in its environment in a sandbox with default settings, whose Runtime API is there.
#[must_use]
pub fn environment(api: &str) -> Vec<(String, String)> {
    Settings::new(PathBuf::new()).common_environment(api)
}

pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const ACCOUNT: &str = "123456789012";

impl Settings {
    pub(crate) fn new(extension: PathBuf) -> Settings {
        Settings {
            extensions: vec![extension],
            environment: Vec::new(),
            function: Function::BuiltIn,
            function_name: "orders".into(),
            function_version: "$LATEST".into(),
            memory_mb: 256,
            mode: Mode::OnDemand,
            log_format: None,
            init_lines: Vec::new(),
            init_takes: Duration::ZERO,
            init_timeout: Duration::from_secs(10),
            function_timeout: Duration::from_secs(30),
            shutdown_budget: Duration::from_millis(2000),
            freezes: true,
            deviations: Deviations::default(),
            watch: None,
        }
    }

    pub(crate) fn is_managed(&self) -> bool {
        self.mode == Mode::ManagedInstances
    }

    /// Managed Instances know JSON only, unless it was asked otherwise.
    pub(crate) fn log_format(&self) -> LogFormat {
        self.log_format.unwrap_or(if self.is_managed() {
            LogFormat::Json
        } else {
            LogFormat::Text
        })
    }

    pub(crate) fn function_arn(&self) -> String {
        format!(
            "arn:aws:lambda:{REGION}:{ACCOUNT}:function:{}",
            self.function_name
        )
    }

    /// What an extension has in its environment (protocol reference 1.8), the user's variables first.
    pub(crate) fn extension_environment(&self, api: &str) -> Vec<(String, OsString)> {
        let user = self
            .environment
            .iter()
            .filter(|(name, _)| !name.starts_with('_'))
            .cloned();
        user.chain(as_values(self.common_environment(api)))
            .collect()
    }

    pub(crate) fn runtime_environment(
        &self,
        api: &str,
        log_stream: &str,
    ) -> Vec<(String, OsString)> {
        let current = std::env::current_dir()
            .unwrap_or_default()
            .display()
            .to_string();
        let mut all = self.environment.clone();
        all.extend(as_values(self.common_environment(api)));
        let more = [
            ("_HANDLER", "app.handler".to_string()),
            ("LAMBDA_TASK_ROOT", current.clone()),
            ("LAMBDA_RUNTIME_DIR", current),
            ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023".into()),
            (
                "AWS_LAMBDA_LOG_GROUP_NAME",
                format!("/aws/lambda/{}", self.function_name),
            ),
            ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream.into()),
        ];
        all.extend(more.map(|(name, value)| (name.to_string(), value.into())));
        if self.is_managed() {
            all.push(("AWS_LAMBDA_MAX_CONCURRENCY".into(), "8".into()));
        }
        all
    }

    fn common_environment(&self, api: &str) -> Vec<(String, String)> {
        let format = if self.log_format() == LogFormat::Json {
            "JSON"
        } else {
            "Text"
        };
        let memory = self.memory_mb.to_string();
        let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".into());
        let all = [
            ("AWS_LAMBDA_RUNTIME_API", api),
            ("AWS_LAMBDA_FUNCTION_NAME", &self.function_name),
            ("AWS_LAMBDA_FUNCTION_VERSION", &self.function_version),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
            (
                "AWS_LAMBDA_INITIALIZATION_TYPE",
                self.mode.initialization_type(),
            ),
            ("AWS_LAMBDA_LOG_FORMAT", format),
            ("AWS_REGION", REGION),
            ("AWS_DEFAULT_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "example"),
            ("AWS_SESSION_TOKEN", "example"),
            ("TZ", ":UTC"),
            ("LANG", "en_US.UTF-8"),
            ("PATH", &path),
        ];
        all.map(|(name, value)| (name.to_string(), value.to_string()))
            .into()
    }
}

/// The user's variables may be any bytes; these are text.
fn as_values(all: Vec<(String, String)>) -> impl Iterator<Item = (String, OsString)> {
    all.into_iter().map(|(name, value)| (name, value.into()))
}
