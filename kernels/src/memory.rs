//! Memory for kernels: buffers that start on a cache line, and a pointer through which the parts of one operation write to
//! places of their own. Not an allocator: a buffer grows when it must and is then used again and again.

/// Bytes of a cache line, and of the widest vector register and tile row.
pub const LINE: usize = 64;

#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; LINE]);

/// Zeroed bytes that start on a cache line.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    lines: Vec<Line>,
}

impl Lines {
    /// At least `bytes` zeroed bytes.
    #[must_use]
    pub fn zeroed(bytes: usize) -> Self {
        Self { lines: vec![Line([0; LINE]); bytes.div_ceil(LINE)] }
    }

    /// Makes room for `bytes` bytes. What the buffer held is kept; what is new is zero.
    pub fn reserve(&mut self, bytes: usize) {
        let lines = bytes.div_ceil(LINE);
        if lines > self.lines.len() {
            self.lines.resize(lines, Line([0; LINE]));
        }
    }

    /// Bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len() * LINE
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: the lines are this value's own, `len` initialised bytes one behind the other.
        unsafe { std::slice::from_raw_parts(self.as_ptr(), self.len()) }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and borrowed for this use alone.
        unsafe { std::slice::from_raw_parts_mut(self.as_mut_ptr(), self.len()) }
    }

    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.lines.as_ptr().cast()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.lines.as_mut_ptr().cast()
    }
}

/// A pointer that the parts of one operation share, each writing where no other reads or writes.
#[derive(Debug)]
pub(crate) struct Shared<T>(pub *mut T);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<T> {}

// SAFETY: `Shared` is handed to parts by wrappers that give each part its own range of elements; see the wrappers.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// The `length` elements from `start` on.
    ///
    /// # Safety
    /// They lie within the allocation, and nobody else uses them while the slice lives.
    #[inline(always)]
    pub unsafe fn slice<'a>(self, start: usize, length: usize) -> &'a mut [T] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(start), length) }
    }
}
