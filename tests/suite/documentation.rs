//! The pages: their links lead somewhere, and their commands can be given.

mod block;
mod configuration;
mod link;
mod page;
mod troubleshooting;
