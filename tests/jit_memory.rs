//! What native code costs in memory. A process of its own, since it reads the process's resident size.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/programs.rs"]
mod programs;

use cranelift_entity::{EntityRef, PrimaryMap};
use stepup::backend::jit::{CodeMemory, CodeUsage, JitCompiler};
use stepup::check::policy::StepId;
use stepup::lower::layout::WordSlot;
use stepup::lower::program::{Node, NodeId, Program, SetFormula, StepProgram, Test};

use programs::program_of;

fn row(index: usize) -> NodeId {
    NodeId::new(index)
}

fn bit(slot: u32, bit: u32) -> Test {
    Test::AnyBit { slot: WordSlot(slot), mask: 1 << bit }
}

/// The bar: half a KiB of resident memory for a policy of the size of the seed's, and none once they are gone.
#[test]
fn ten_thousand_policies_take_less_than_half_a_kib_each_and_leave_nothing() {
    const POLICIES: usize = 10_000;
    let memory = CodeMemory::new();
    let mut compiler = JitCompiler::new(memory.clone()).expect("this host has machine code");
    let program = two_steps_like_the_seed();
    drop(compiler.compile(&program));
    let (before, code_before) = (resident_bytes("VmRSS"), resident_bytes("RssShmem"));
    let codes: Vec<_> = (0..POLICIES).filter_map(|_| compiler.compile(&program).ok()).collect();
    let words = [0b100, 1, 50_000, 46_000, 0];
    assert!(codes.iter().all(|code| code.decide(StepId::from_u32(0), &words).is_some()));
    let resident = resident_bytes("VmRSS").saturating_sub(before);
    let used = memory.usage().used;
    assert_eq!(codes.len(), POLICIES);
    #[allow(clippy::print_stdout, reason = "the figure, for `--nocapture`")]
    {
        println!("{} bytes of code and {} resident for a policy", used / POLICIES, resident / POLICIES);
    }
    assert!(used / POLICIES <= 256, "{used} bytes of code");
    assert!(resident / POLICIES <= 512, "{resident} bytes resident");
    drop(codes);
    assert_eq!(memory.usage(), CodeUsage::default());
    assert_eq!(resident_bytes("RssShmem"), code_before, "code that nobody can call is still resident");
}

fn two_steps_like_the_seed() -> Program {
    let admin = bit(1, 0);
    let enrolled = SetFormula::Word(WordSlot(0));
    let enroll = [
        Node::End,
        Node::Command { number: 2, next: row(0) },
        Node::Branch { test: admin.clone(), then: row(1), otherwise: row(0) },
        Node::Command { number: 1, next: row(2) },
        Node::Command { number: 4, next: row(0) },
        Node::Branch { test: bit(0, 6), then: row(0), otherwise: row(4) },
        Node::Branch { test: admin.clone(), then: row(5), otherwise: row(0) },
        Node::Command { number: 3, next: row(6) },
        Node::Branch {
            test: Test::Count { set: enrolled.into(), low: 0, high: 0 },
            then: row(3),
            otherwise: row(7),
        },
    ];
    let recent = |stamp| Test::Age { now: WordSlot(2), stamp: WordSlot(stamp), low: i64::MIN, high: 4999 };
    let verify = [
        Node::End,
        Node::Command { number: 5, next: row(0) },
        Node::Command { number: 6, next: row(0) },
        Node::Branch { test: recent(3), then: row(0), otherwise: row(1) },
        Node::Branch { test: recent(4), then: row(3), otherwise: row(2) },
        Node::Branch { test: admin, then: row(4), otherwise: row(0) },
    ];
    let steps = [enroll.to_vec(), verify.to_vec()].map(|nodes| {
        let entry = row(nodes.len() - 1);
        StepProgram { entry, nodes: nodes.into_iter().collect() }
    });
    program_of(5, PrimaryMap::from_iter(steps))
}

/// A line of the process's status: `RssShmem` is what of the code memory is resident, `VmRSS` is everything.
fn resident_bytes(line: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let kib = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    let kib = kib.and_then(|text| text.trim().strip_suffix("kB")?.trim().parse::<usize>().ok());
    kib.expect("a number of KiB") * 1024
}
