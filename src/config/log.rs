//! `[log]`: level and format of the log.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::log::{self, Format, Level};

/// Level and format of the log.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "log")]
pub struct Log {
    /// Least important lines to log: error, warn, info, debug or trace.
    #[schemars(extend("x-flag" = "log.level LEVEL"))]
    pub level: Level,
    /// Form of the log: logfmt or json.
    #[schemars(extend("x-flag" = "log.format FORMAT"))]
    pub format: Format,
}

impl Log {
    /// Starts logging. A second call changes nothing.
    pub fn init(self) {
        log::init(self.level, self.format);
    }
}
