//! A future that is made where it stays.
//!
//! A journey's future is many KB, of which three words are written when it is made. `Box::pin` makes it on the stack first and copies all
//! of it, because the allocation could unwind while there is something to drop; and as a part of the hook's own future it would be copied again.
//! Here the place is taken first.

use std::pin::Pin;

/// What `make` makes, on the heap.
pub fn in_place<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::into_pin(Box::write(Box::new_uninit(), make()))
}
