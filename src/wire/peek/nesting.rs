//! Which containers are open.

/// Levels of nesting that are followed; deeper text is refused.
const MAX_DEPTH: usize = 1024;
const WORD: usize = u64::BITS as usize;

/// One bit a level: set for an object. The innermost ones, sixty-four at most, are in a word of their own, which stays in a
/// register; a full one goes to its place among the others until the levels in it are the innermost again.
#[derive(Default)]
pub(super) struct Nesting {
    depth: usize,
    inner: u64,
    outer: [u64; MAX_DEPTH / WORD],
}

// === impl Nesting ===

impl Nesting {
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// A container begins. Whether that is within the depth that is followed.
    #[inline(always)]
    pub(super) fn open(&mut self, is_object: bool) -> bool {
        if self.depth.is_multiple_of(WORD) {
            match self.outer.get_mut(self.depth / WORD) {
                Some(outer) => *outer = self.inner,
                None => return false,
            }
        }
        self.inner = self.inner << 1 | u64::from(is_object);
        self.depth += 1;
        true
    }

    /// The innermost container ends. Whether it is an object; there must be one.
    #[inline(always)]
    pub(super) fn close(&mut self) -> bool {
        let is_object = self.inner & 1 == 1;
        self.inner >>= 1;
        self.depth -= 1;
        if self.depth.is_multiple_of(WORD) {
            self.inner = self.outer[self.depth / WORD];
        }
        is_object
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn it_has_an_end() {
        let mut nesting = Nesting::default();
        for _ in 0..MAX_DEPTH {
            assert!(nesting.open(true));
        }
        assert!(!nesting.open(true));
        assert_eq!(nesting.depth(), MAX_DEPTH);
        assert!(nesting.close());
        assert!(nesting.open(false));
        assert!(!nesting.close());
    }

    proptest! {
        #[test]
        fn it_is_a_stack(start in vec(any::<bool>(), 0..200), steps in vec(any::<Option<bool>>(), 0..400)) {
            let (mut nesting, mut stack) = (Nesting::default(), Vec::new());
            for step in start.into_iter().map(Some).chain(steps) {
                if let Some(is_object) = step {
                    stack.push(is_object);
                    assert!(nesting.open(is_object));
                } else if let Some(is_object) = stack.pop() {
                    assert_eq!(nesting.close(), is_object);
                }
                assert_eq!(nesting.depth(), stack.len());
            }
            while let Some(is_object) = stack.pop() {
                assert_eq!(nesting.close(), is_object);
            }
        }
    }
}
