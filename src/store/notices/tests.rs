//! Told once, sent once, on both databases.
