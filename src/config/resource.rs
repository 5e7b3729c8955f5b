//! What the environment says of the resource.

use super::pairs;
use super::table;
use super::variables::Variables;
use crate::format::resource::Resource;
use crate::text::decimal;
use crate::text::delimited;

/// Lambda's own variables first, then the user's, which win.
pub fn read(variables: &mut Variables<'_, '_>, resource: &mut Resource) {
    resource.set(b"cloud.provider", b"aws");
    resource.set(b"cloud.platform", b"aws_lambda");
    let from_environment: &[(&[u8], &[u8])] = &[
        (b"cloud.region", b"AWS_REGION"),
        (b"faas.name", b"AWS_LAMBDA_FUNCTION_NAME"),
        (b"faas.version", b"AWS_LAMBDA_FUNCTION_VERSION"),
        (b"service.name", b"AWS_LAMBDA_FUNCTION_NAME"),
    ];
    for (key, variable) in from_environment {
        resource.set(key, variables.get(variable).unwrap_or_default().as_bytes());
    }
    let memory = variables.get(b"AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
    if let Some(megabytes) = memory.and_then(|text| decimal::parse(text.as_bytes())) {
        resource.set_integer(b"faas.max_memory", megabytes.saturating_mul(1024 * 1024));
    }
    if let Some((name, list)) = variables.first(table::RESOURCE_ATTRIBUTES, None) {
        let mut place = 0;
        for pair in delimited::list(list) {
            place += 1;
            let is_set = pairs::pair(pair)
                .is_some_and(|(key, value)| resource.set_fixed(key.as_bytes(), value.as_bytes()));
            if !is_set {
                variables.left_out(name, place);
            }
        }
    }
    if let Some((name, value)) = variables.first(table::SERVICE_NAME, None)
        && !(pairs::is_text(value) && resource.set_fixed(b"service.name", value.as_bytes()))
    {
        variables.not_used(name, value, b"it is too long, or not UTF-8");
    }
}
