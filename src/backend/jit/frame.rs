//! Taking the stack frame away.
//!
//! Cranelift gives every x86-64 function a frame, also one that keeps nothing in it, and entering and leaving it is
//! a fifth of the time of a small decision. So where the frame is empty its entry is cut off and each exit becomes a
//! bare return. Every return has a source location of its own, which tells where its instructions end; when anything
//! looks other than expected, the frame stays.

use std::collections::BTreeSet;

use cranelift_codegen::CompiledCode;

/// `push rbp; mov rbp, rsp`
const ENTER: [u8; 4] = [0x55, 0x48, 0x89, 0xE5];
/// `mov rsp, rbp; pop rbp; ret`
const LEAVE: [u8; 5] = [0x48, 0x89, 0xEC, 0x5D, 0xC3];
/// `ret`, and what is never reached.
const RETURN: [u8; 5] = [0xC3, 0xCC, 0xCC, 0xCC, 0xCC];

/// The bytes of a function, and how many are gone from its beginning.
pub(super) fn without_frame(code: &CompiledCode) -> (Vec<u8>, usize) {
    let bytes = code.code_buffer();
    exits(code).and_then(|exits| strip(bytes, &exits)).unwrap_or_else(|| (bytes.to_vec(), 0))
}

/// Where the function leaves its frame, if that is empty.
fn exits(code: &CompiledCode) -> Option<BTreeSet<usize>> {
    let empty = code.buffer.frame_layout()?.frame_to_fp_offset == 0;
    let returns = code.buffer.get_srclocs_sorted().iter().filter(|range| !range.loc.is_default());
    let exit = |end: u32| (end as usize).checked_sub(LEAVE.len());
    empty.then(|| returns.map(|range| exit(range.end)).collect())?
}

/// The function without its frame, if `exits` are all the places where it is left.
fn strip(bytes: &[u8], exits: &BTreeSet<usize>) -> Option<(Vec<u8>, usize)> {
    let found = bytes.windows(LEAVE.len()).enumerate().filter(|(_, window)| *window == LEAVE);
    let found: BTreeSet<usize> = found.map(|(place, _)| place).collect();
    if found != *exits {
        return None;
    }
    let mut stripped = bytes.strip_prefix(&ENTER)?.to_vec();
    for exit in exits {
        let place = exit.checked_sub(ENTER.len())?;
        stripped.get_mut(place..place + RETURN.len())?.copy_from_slice(&RETURN);
    }
    Some((stripped, ENTER.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUNCTION: [u8; 10] = [0x55, 0x48, 0x89, 0xE5, 0x90, 0x48, 0x89, 0xEC, 0x5D, 0xC3];

    #[test]
    fn an_empty_frame_is_neither_entered_nor_left() {
        let stripped = strip(&FUNCTION, &BTreeSet::from([5]));
        assert_eq!(stripped, Some((vec![0x90, 0xC3, 0xCC, 0xCC, 0xCC, 0xCC], 4)));
    }

    #[test]
    fn a_frame_stays_when_bytes_that_are_no_exit_look_like_one() {
        let twice = [FUNCTION.as_slice(), &LEAVE].concat();
        assert_eq!(strip(&twice, &BTreeSet::from([5])), None);
    }
}
