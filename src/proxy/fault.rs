//! Pingora's errors, read as whose fault they are.

use pingora::prelude::Error;
use pingora::protocols::http::v2::client::PING_TIMEDOUT;
use pingora::{ErrorSource, ErrorType};

use crate::domain::fault::Fault;

/// Whose fault an error is, and what happened, in words for the decision chain.
pub fn of_error(e: &Error) -> (Fault, String) {
    let fault = match e.etype() {
        ErrorType::ConnectTimedout
        | ErrorType::ConnectRefused
        | ErrorType::ConnectNoRoute
        | ErrorType::ConnectError
        | ErrorType::ConnectProxyFailure
        | ErrorType::TLSHandshakeFailure
        | ErrorType::TLSHandshakeTimedout
        | ErrorType::InvalidCert
        | ErrorType::HandshakeError
        | ErrorType::BindError
        | ErrorType::SocketError
        | ErrorType::H2Error
        | ErrorType::H2Downgrade
        | ErrorType::InvalidH2 => Fault::Network,
        e_type if *e_type == PING_TIMEDOUT => Fault::Network,
        // However it shows: a connection of many streams that ends says little about any one of them.
        _ if e.root_cause().is::<h2::Error>() => Fault::Network,
        _ => match e.esource() {
            ErrorSource::Upstream => Fault::Provider,
            ErrorSource::Downstream | ErrorSource::Internal | ErrorSource::Unset => Fault::Us,
        },
    };
    (fault, describe(e))
}

fn describe(e: &Error) -> String {
    let what = match e.etype() {
        ErrorType::ConnectTimedout => "connecting timed out",
        ErrorType::ConnectRefused => "the connection was refused",
        ErrorType::ConnectNoRoute => "no route to the host",
        ErrorType::ConnectError => "connecting failed",
        ErrorType::ConnectProxyFailure => "no way through the proxy",
        ErrorType::H2Error => "HTTP/2 with the upstream failed",
        ErrorType::H2Downgrade => "the upstream wants HTTP/1.1 here",
        ErrorType::InvalidH2 => "the upstream's answer is not HTTP/2",
        e_type if *e_type == PING_TIMEDOUT => "the upstream's HTTP/2 connection is dead",
        ErrorType::TLSHandshakeFailure => "the TLS handshake failed",
        ErrorType::TLSHandshakeTimedout => "the TLS handshake timed out",
        ErrorType::InvalidCert => "the certificate is not valid",
        ErrorType::WriteTimedout => "the upstream took nothing in time",
        ErrorType::ConnectionClosed => "the upstream closed the connection",
        ErrorType::ReadError => "reading from the upstream failed",
        ErrorType::WriteError => "writing to the upstream failed",
        ErrorType::InvalidHTTPHeader => "the upstream's answer is not HTTP",
        other => return format!("{}: {e}", other.as_str()),
    };
    match e.root_cause().to_string() {
        cause if cause.is_empty() => what.to_owned(),
        cause => {
            let mut text = format!("{what}: {cause}");
            if text.len() > 500 {
                let end = text.floor_char_boundary(500);
                text.truncate(end);
            }
            text
        }
    }
}
