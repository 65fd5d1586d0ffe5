//! Each platform's bodies, and its answers.
