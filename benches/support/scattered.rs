//! Rust functions that lie as far from each other as the code of resident policies does.
//!
//! The linker puts functions side by side. To call one that nothing keeps warm, not even a neighbour on its page, the
//! bytes of a function are copied to many places of a file in memory, which is mapped as the code of policies is.
#![allow(unsafe_code, reason = "functions are copied and called")]

#[cfg(target_os = "linux")]
use std::{fs::File, mem, os::unix::fs::FileExt, ptr, slice};

use std::io;

#[cfg(target_os = "linux")]
use rustix::fs::{MemfdFlags, memfd_create};
#[cfg(target_os = "linux")]
use rustix::mm::{MapFlags, ProtFlags, mmap};

use crate::cold::Function;

/// More bytes than a function has.
#[cfg(target_os = "linux")]
const LENGTH: usize = 128;

/// As many copies of some functions as there are places, so many bytes apart. The mapping stays to the end of the
/// process.
///
/// # Safety
/// The functions' code names no address, and none is longer than 128 bytes. (They are compared with their copies
/// before anything is measured.)
#[cfg(target_os = "linux")]
pub(crate) unsafe fn scattered(
    functions: &[Function],
    places: usize,
    distance: usize,
) -> io::Result<Vec<Function>> {
    let distance = distance.max(LENGTH);
    let file = File::from(memfd_create("cold-functions", MemfdFlags::CLOEXEC)?);
    let length = places * distance;
    file.set_len(length as u64)?;
    for (place, function) in functions.iter().cycle().take(places).enumerate() {
        // SAFETY: a function's code can be read, and so can what follows it: all functions lie in one section, with
        // more of the program's code behind it.
        let code = unsafe { slice::from_raw_parts(*function as *const u8, LENGTH) };
        file.write_all_at(code, (place * distance) as u64)?;
    }
    // SAFETY: the system chooses the addresses.
    let base = unsafe {
        mmap(ptr::null_mut(), length, ProtFlags::READ | ProtFlags::EXEC, MapFlags::SHARED, &file, 0)?
    };
    let copy = |place: usize| base.cast::<u8>().wrapping_add(place * distance);
    // SAFETY: the bytes there are those of a function of this type, and the caller says that they may lie anywhere.
    Ok((0..places).map(|place| unsafe { mem::transmute::<*mut u8, Function>(copy(place)) }).collect())
}

/// Policies have no machine code here either.
///
/// # Safety
/// There is nothing to keep.
#[cfg(not(target_os = "linux"))]
pub(crate) unsafe fn scattered(_: &[Function], _: usize, _: usize) -> io::Result<Vec<Function>> {
    Err(io::ErrorKind::Unsupported.into())
}
