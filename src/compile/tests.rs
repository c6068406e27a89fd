//! Validation, on code that is right and on code that is not.
#![allow(clippy::panic, reason = "a test says so by failing")]

use super::{Compiler, Validated, Validation, not_executed};
use crate::backend::jit::JitCompiler;
use crate::diagnostic::Severity;
use crate::lower::lower;

const TEXT: &str = "if user.isAdmin then challenge otp";
const OTHER: &str = "if not user.isAdmin then challenge otp";

#[test]
fn machine_code_that_decides_otherwise_is_not_executed_and_reported() {
    let compiler = Compiler::new().with_validation(Validation::On);
    let [policy, other] =
        [TEXT, OTHER].map(|text| compiler.compile([("a.stepup", text)]).expect("it compiles"));
    let Ok(mut jit) = JitCompiler::new(compiler.memory.clone()) else { return };
    let [program, wrong] =
        [&policy, &other].map(|compiled| lower(&compiled.typed).expect("it was lowered before"));
    let wrong = jit.compile(&wrong).expect("it is well formed");
    let (native, validated) = compiler.validated(&program, Some(wrong));
    assert!(native.is_none());
    let Validated::Refused(defect) = validated else { panic!("{validated:?}") };
    assert_ne!(defect.found, Some(defect.expected));
    let report = not_executed(&policy.typed, &defect);
    assert_eq!(report.severity, Severity::Warning);
    assert!(report.message.contains("is interpreted"), "{}", report.message);
}

#[test]
fn a_compiler_validates_when_it_is_asked_to() {
    let compile = |compiler: Compiler| compiler.compile([("a.stepup", TEXT)]).expect("it compiles").validated;
    assert_eq!(compile(Compiler::new()), Validated::Not);
    if let Ok(_jit) = JitCompiler::new(Compiler::new().memory) {
        let validated = compile(Compiler::new().with_validation(Validation::On));
        let Validated::Held(coverage) = validated else { panic!("{validated:?}") };
        assert_eq!((coverage.answers, coverage.unreached, coverage.by_answers), (2, 0, 0));
    }
}
