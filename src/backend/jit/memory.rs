//! Code memory: where the machine code of many policies lies, packed.
//!
//! Memory comes in chunks. A chunk is a file without a name (`memfd`), mapped once, readable and executable. Code gets
//! into it by a write to the file, so no address of the process is ever writable and executable, nor even mapped
//! writable; the pages of file and mapping are the same, so nothing is counted twice. A [`CodeSpan`] owns its bytes:
//! dropped, they can be taken again, and the last span of a chunk gives the chunk back to the system.
//!
//! Chunks lie near the code that calls into them, if the system has room there: processors predict a near call
//! better, and it makes a third of the time of a small decision.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use platform::Mapping;

/// Where a function may begin: what processors like to fetch at once.
pub(super) const ALIGNMENT: usize = 16;

/// The least size of a chunk. Only what is written costs memory; the rest are addresses.
const SMALLEST_CHUNK: usize = 1 << 20;

/// The grain of mappings.
const PAGE: usize = 4096;

/// The size beyond which chunks don't grow with the memory.
const LARGEST_CHUNK: usize = 1 << 26;

/// Memory for machine code, shared by all clones.
#[derive(Clone, Default)]
pub struct CodeMemory {
    chunks: Arc<Mutex<Vec<Weak<Chunk>>>>,
}

/// How much a [`CodeMemory`] holds.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct CodeUsage {
    /// Chunks that are mapped.
    pub chunks: usize,
    /// Bytes of address space.
    pub mapped: usize,
    /// Bytes that hold code of living policies.
    pub used: usize,
}

impl CodeMemory {
    /// A memory without chunks.
    pub fn new() -> Self {
        CodeMemory::default()
    }

    /// How much it holds now.
    pub fn usage(&self) -> CodeUsage {
        let mut usage = CodeUsage::default();
        for chunk in lock(&self.chunks).iter().filter_map(Weak::upgrade) {
            usage.chunks += 1;
            usage.mapped += chunk.mapping.len;
            usage.used += chunk.mapping.len - lock(&chunk.holes).total();
        }
        usage
    }

    /// Puts `code` where it can be executed. It begins at a multiple of [`ALIGNMENT`].
    pub(super) fn publish(&self, code: &[u8]) -> io::Result<CodeSpan> {
        let span = self.reserve(code.len().max(1).next_multiple_of(ALIGNMENT))?;
        platform::write_at(&span.chunk.file, code, span.start)?;
        Ok(span)
    }

    fn reserve(&self, len: usize) -> io::Result<CodeSpan> {
        let mut chunks = lock(&self.chunks);
        chunks.retain(|chunk| chunk.strong_count() > 0);
        let living: Vec<Arc<Chunk>> = chunks.iter().filter_map(Weak::upgrade).collect();
        if let Some(span) = living.iter().find_map(|chunk| chunk.reserve(len)) {
            return Ok(span);
        }
        let mapped: usize = living.iter().map(|chunk| chunk.mapping.len).sum();
        let chunk = Arc::new(Chunk::map(len.max(mapped.clamp(SMALLEST_CHUNK, LARGEST_CHUNK)))?);
        chunks.push(Arc::downgrade(&chunk));
        chunk.reserve(len).ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))
    }
}

impl fmt::Debug for CodeMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CodeMemory").field(&self.usage()).finish()
    }
}

/// Bytes of a chunk, owned: the code of one policy.
pub(super) struct CodeSpan {
    chunk: Arc<Chunk>,
    start: usize,
    len: usize,
}

impl CodeSpan {
    /// How many bytes it takes, alignment included.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The address of a byte; executable for as long as the span lives.
    pub(super) fn address(&self, offset: usize) -> *const u8 {
        debug_assert!(offset < self.len);
        self.chunk.mapping.base.wrapping_add(self.start + offset)
    }
}

impl Drop for CodeSpan {
    fn drop(&mut self) {
        lock(&self.chunk.holes).give_back(self.start, self.len);
    }
}

struct Chunk {
    file: File,
    mapping: Mapping,
    /// After a fork both processes see one file but each keeps its own record of what is free: only the process
    /// that made a chunk may write to it.
    owner: u32,
    holes: Mutex<Holes>,
}

impl Chunk {
    fn map(len: usize) -> io::Result<Self> {
        let len = len.next_multiple_of(PAGE);
        let file = platform::memory_file()?;
        file.set_len(len as u64)?;
        let mapping = Mapping::executable(&file, len)?;
        Ok(Chunk { file, mapping, owner: std::process::id(), holes: Mutex::new(Holes::whole(len)) })
    }

    fn reserve(self: &Arc<Self>, len: usize) -> Option<CodeSpan> {
        if self.owner != std::process::id() {
            return None;
        }
        let start = lock(&self.holes).take(len)?;
        Some(CodeSpan { chunk: Arc::clone(self), start, len })
    }
}

/// The free stretches of a chunk: where each begins, and its length. No two touch.
struct Holes(BTreeMap<usize, usize>);

impl Holes {
    fn whole(len: usize) -> Self {
        Holes(BTreeMap::from([(0, len)]))
    }

    fn total(&self) -> usize {
        self.0.values().sum()
    }

    /// Takes `len` bytes from the first hole that has them.
    fn take(&mut self, len: usize) -> Option<usize> {
        let (start, hole) =
            self.0.iter().find(|(_, hole)| **hole >= len).map(|(&start, &hole)| (start, hole))?;
        self.0.remove(&start);
        if hole > len {
            self.0.insert(start + len, hole - len);
        }
        Some(start)
    }

    fn give_back(&mut self, start: usize, len: usize) {
        let after = self.0.remove(&(start + len)).unwrap_or(0);
        let len = len + after;
        match self.0.range_mut(..start).next_back() {
            Some((&before, hole)) if before + *hole == start => *hole += len,
            _ => {
                self.0.insert(start, len);
            }
        }
    }
}

/// A panic can't leave the free list half changed, so a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(target_os = "linux")]
mod platform {
    use std::ffi::c_void;
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::FileExt;
    use std::ptr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rustix::fs::{MemfdFlags, memfd_create};
    use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

    /// How far from the code of this library chunks may lie.
    const NEAR: usize = 2 << 30;

    pub(super) fn memory_file() -> io::Result<File> {
        Ok(File::from(memfd_create("stepup-code", MemfdFlags::CLOEXEC)?))
    }

    pub(super) fn write_at(file: &File, bytes: &[u8], offset: usize) -> io::Result<()> {
        file.write_all_at(bytes, offset as u64)
    }

    /// A mapping of a whole file that can be read and executed.
    pub(super) struct Mapping {
        pub(super) base: *const u8,
        pub(super) len: usize,
    }

    // SAFETY: a mapping belongs to the process, not to a thread, and nothing is ever written through `base`.
    unsafe impl Send for Mapping {}
    // SAFETY: as above.
    unsafe impl Sync for Mapping {}

    impl Mapping {
        pub(super) fn executable(file: &File, len: usize) -> io::Result<Self> {
            let protection = ProtFlags::READ | ProtFlags::EXEC;
            // SAFETY: the address is a wish: where something lies already, the system chooses another.
            let base = unsafe { mmap(near(len), len, protection, MapFlags::SHARED, file, 0)? };
            Ok(Mapping { base: base.cast(), len })
        }
    }

    impl Drop for Mapping {
        fn drop(&mut self) {
            // SAFETY: `executable` made this mapping, and whoever runs code in it holds the chunk. There is nothing
            // to do about an error: the addresses stay taken.
            let _ = unsafe { munmap(self.base.cast_mut().cast(), self.len) };
        }
    }

    /// An address below this library's code, another for each chunk.
    fn near(len: usize) -> *mut c_void {
        static TAKEN: AtomicUsize = AtomicUsize::new(0);
        let distance = NEAR / 4 + (TAKEN.fetch_add(len, Ordering::Relaxed) + len) % (NEAR / 2);
        let here = near as fn(usize) -> *mut c_void as usize;
        ptr::without_provenance_mut(here.wrapping_sub(distance).next_multiple_of(super::PAGE))
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::fs::File;
    use std::io;

    pub(super) fn memory_file() -> io::Result<File> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn write_at(_: &File, _: &[u8], _: usize) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) struct Mapping {
        pub(super) base: *const u8,
        pub(super) len: usize,
    }

    impl Mapping {
        pub(super) fn executable(_: &File, _: usize) -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Holes;

    #[test]
    fn holes_that_touch_become_one() {
        let mut holes = Holes::whole(64);
        let starts = [16, 16, 16, 16].map(|len| holes.take(len));
        assert_eq!((starts, holes.take(1)), ([Some(0), Some(16), Some(32), Some(48)], None));
        for start in [0, 32, 16, 48] {
            holes.give_back(start, 16);
        }
        assert_eq!(holes.take(64), Some(0));
    }

    #[test]
    fn the_first_hole_that_is_large_enough_is_taken() {
        let mut holes = Holes::whole(96);
        let _all = holes.take(96);
        holes.give_back(0, 16);
        holes.give_back(32, 32);
        assert_eq!((holes.take(32), holes.take(32), holes.take(16)), (Some(32), None, Some(0)));
    }
}
