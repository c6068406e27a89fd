//! A program in machine code, for as long as a bench runs. Those that CI builds share it with those that it doesn't.

use stepup::backend::jit::{CodeMemory, JitCompiler, NativeStep};
use stepup::check::policy::StepId;
use stepup::lower::program::Program;

/// The only step of a program. Its code is never given back.
pub(crate) fn native(program: &Program) -> NativeStep<'static> {
    let mut compiler = JitCompiler::new(CodeMemory::new()).expect("this host has machine code");
    let code = Box::leak(Box::new(compiler.compile(program).expect("the program is well formed")));
    code.step(StepId::from_u32(0)).expect("there is one step")
}
