//! The meter against recorded streams and bodies of every protocol, cut anywhere.
