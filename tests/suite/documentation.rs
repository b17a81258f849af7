//! The pages: links lead somewhere, commands and examples work, and what they name exists.

mod block;
mod command;
mod configuration;
mod example;
mod link;
mod name;
mod page;
mod query;
mod troubleshooting;
