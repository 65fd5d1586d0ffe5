//! The admin side through its front door: one module a capability.

mod conforms;
mod document;
mod identity;
mod input;
mod requests;
mod resources;
mod serve;
mod support;
