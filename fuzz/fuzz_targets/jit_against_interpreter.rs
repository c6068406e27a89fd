//! Machine code decides like the interpreter, on any program and any facts that bytes can spell.

#![no_main]

#[allow(dead_code)]
#[path = "../../tests/support/programs.rs"]
mod programs;

use libfuzzer_sys::fuzz_target;
use stepup::backend::interpret;
use stepup::backend::jit::{CodeMemory, JitCompiler};

use programs::{Choices, facts, program};

fuzz_target!(|bytes: &[u8]| {
    // Half of the bytes spell the program, the rest ten records of facts.
    let (shape, records) = bytes.split_at(bytes.len() / 2);
    let program = program(&mut Choices(shape));
    let mut compiler = JitCompiler::new(CodeMemory::new()).expect("this host has machine code");
    let code = compiler.compile(&program).expect("the program is well formed");
    let mut records = Choices(records);
    for _ in 0..10 {
        let words = facts(&mut records);
        for step in program.steps.keys() {
            assert_eq!(code.decide(step, &words), Some(interpret::decide(&program.steps[step], &words)), "{program:#?}");
        }
    }
});
