//! Machine code: the backend for servers that decide many logins.
//!
//! A step becomes one function from the facts' words to a [`DecisionWord`]. [`plan`] chooses the blocks of the
//! function, and which switches are [tables](rows), [`emit`] says them to Cranelift, a few questions at once as a place
//! among their [`answers`]; [`memory`] keeps the bytes of all policies together. Code and tables of a policy are one stretch
//! of bytes that may lie anywhere: it names no address, and calls nothing.
//!
//! Where there is no machine code (another system, another processor, a policy past a limit) the caller takes the
//! interpreter, which gives the same answers.
#![allow(unsafe_code, reason = "machine code is memory that we execute")]

mod answers;
mod emit;
mod frame;
mod line;
mod look_up;
mod memory;
mod plan;
mod rows;
mod tables;
#[cfg(test)]
mod tests;
mod validate;

use std::marker::PhantomData;
use std::{fmt, io, mem};

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{AbiParam, Signature};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable, SetError};
use cranelift_codegen::{CompiledCode, Context};
use cranelift_frontend::FunctionBuilderContext;
use smallvec::SmallVec;

pub use memory::{CodeMemory, CodeUsage};

use crate::check::policy::StepId;
use crate::lower::program::{DecisionWord, NodeId, Program, StepProgram};
use memory::CodeSpan;
use plan::Plan;
use tables::Tables;

/// The most machine code of one policy, in bytes.
pub const MAX_CODE_BYTES: usize = 16 << 20;

/// Why a program has no machine code. It can still be interpreted.
#[derive(Debug, thiserror::Error)]
pub enum JitError {
    /// No machine code is made for this host.
    #[error("no machine code is made for this host: {reason}")]
    Unsupported {
        /// Why.
        reason: String,
    },
    /// The program would take more than a policy may.
    #[error("the machine code would take more than {limit} {what}")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// How many.
        limit: usize,
    },
    /// A row of the program leads forward or out of it, or reads a word that the layout doesn't have.
    #[error("{node} of step `{step}` leads or reads where it must not")]
    Malformed {
        /// The step's name.
        step: String,
        /// The row.
        node: NodeId,
    },
    /// The system gave no memory that can be executed.
    #[error("no memory for machine code")]
    Memory(#[from] io::Error),
    /// The code generator refused its input, or made code that doesn't stand alone: a defect of ours.
    #[error("the code generator failed: {reason}")]
    Generator {
        /// What it said.
        reason: String,
    },
}

/// Makes machine code. It keeps its working memory between programs, so use one for many; one thread at a time.
pub struct JitCompiler {
    isa: OwnedTargetIsa,
    context: Context,
    builder: FunctionBuilderContext,
    memory: CodeMemory,
}

impl JitCompiler {
    /// A compiler for this host that keeps code in `memory`.
    ///
    /// # Errors
    /// [`JitError::Unsupported`] where there is no machine code: anything but Linux on x86-64.
    pub fn new(memory: CodeMemory) -> Result<Self, JitError> {
        let isa = host().map_err(|reason| JitError::Unsupported { reason })?;
        Ok(JitCompiler { isa, context: Context::new(), builder: FunctionBuilderContext::new(), memory })
    }

    /// Compiles all steps of a program.
    ///
    /// # Errors
    /// Any but [`JitError::Unsupported`].
    pub fn compile(&mut self, program: &Program) -> Result<NativeCode, JitError> {
        let object = self.assemble(program)?;
        let span = self.memory.publish(&object.bytes)?;
        // SAFETY: each entry is the offset of a function of this signature in the bytes just published.
        let entry = |&offset| unsafe { mem::transmute::<*const u8, StepFunction>(span.address(offset)) };
        let steps = object.entries.iter().map(entry).collect();
        Ok(NativeCode { steps, words: program.interface.layout.words, span })
    }

    /// The bytes of a program, which may lie at any multiple of [`memory::ALIGNMENT`]. The same program gives the
    /// same bytes.
    fn assemble(&mut self, program: &Program) -> Result<Object, JitError> {
        validate::validate(program)?;
        let mut object = Object::default();
        let mut tables = Tables::default();
        let mut references = Vec::new();
        for step in program.steps.values() {
            self.compile_step(step, &mut tables)?;
            let code = self.context.compiled_code().ok_or_else(|| generator("no code"))?;
            object.add(code, &mut references)?;
            if object.bytes.len() + tables.bytes.len() > MAX_CODE_BYTES {
                return Err(JitError::TooLarge { what: "bytes", limit: MAX_CODE_BYTES });
            }
        }
        object.add_tables(&tables, &references)?;
        Ok(object)
    }

    fn compile_step(&mut self, step: &StepProgram, tables: &mut Tables) -> Result<(), JitError> {
        let plan = Plan::new(step)?;
        self.context.clear();
        self.context.func.signature = Signature {
            params: vec![AbiParam::new(I64)],
            returns: vec![AbiParam::new(I64)],
            call_conv: self.isa.default_call_conv(),
        };
        let config = self.isa.frontend_config();
        emit::emit_step(step, &plan, tables, &mut self.context.func, &mut self.builder, config);
        let compiled = self.context.compile(&*self.isa, &mut ControlPlane::default());
        compiled.map_err(|error| generator(error.inner))?;
        Ok(())
    }
}

impl fmt::Debug for JitCompiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JitCompiler").field("memory", &self.memory).finish_non_exhaustive()
    }
}

/// The host as Cranelift knows it.
fn host() -> Result<OwnedTargetIsa, String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err("machine code is made on Linux and x86-64 only".into());
    }
    let flags = flags().map_err(|error| error.to_string())?;
    let host = cranelift_native::builder()?;
    host.finish(flags).map_err(|error| error.to_string())
}

fn flags() -> Result<settings::Flags, SetError> {
    let mut flags = settings::builder();
    // Optimising again what the plan has optimised doubled the time and bought nothing that could be measured.
    flags.set("opt_level", "none")?;
    flags.set("unwind_info", "false")?;
    flags.set("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" })?;
    Ok(settings::Flags::new(flags))
}

fn generator(reason: impl fmt::Display) -> JitError {
    JitError::Generator { reason: reason.to_string() }
}

/// Code and tables of a program.
#[derive(Default, PartialEq, Eq, Debug)]
struct Object {
    bytes: Vec<u8>,
    /// Where each step's function begins.
    entries: Vec<usize>,
}

/// A place in the code that holds the distance from itself to the tables.
struct Reference {
    place: usize,
    addend: i64,
}

impl Object {
    fn add(&mut self, code: &CompiledCode, references: &mut Vec<Reference>) -> Result<(), JitError> {
        self.bytes.resize(self.bytes.len().next_multiple_of(memory::ALIGNMENT), 0);
        let entry = self.bytes.len();
        self.entries.push(entry);
        let (bytes, cut) = frame::without_frame(code);
        self.bytes.extend_from_slice(&bytes);
        for reference in code.buffer.relocs() {
            // The name needs no look: emission declares the tables' and no other.
            if reference.kind != Reloc::X86CallPCRel4 {
                return Err(generator(format_args!("a reference of kind {}", reference.kind)));
            }
            let place = entry + reference.offset as usize - cut;
            references.push(Reference { place, addend: reference.addend });
        }
        Ok(())
    }

    fn add_tables(&mut self, tables: &Tables, references: &[Reference]) -> Result<(), JitError> {
        self.bytes.resize(self.bytes.len().next_multiple_of(tables::ALIGNMENT), 0);
        let start = self.bytes.len() as i64;
        self.bytes.extend_from_slice(&tables.bytes);
        for reference in references {
            let distance = start + reference.addend - reference.place as i64;
            let field = self.bytes.get_mut(reference.place..reference.place + size_of::<i32>());
            let (Some(field), Ok(distance)) = (field, i32::try_from(distance)) else {
                return Err(generator("a reference out of the code"));
            };
            field.copy_from_slice(&distance.to_le_bytes());
        }
        Ok(())
    }
}

/// From the address of the facts' words to a [`DecisionWord`].
type StepFunction = extern "C" fn(*const u64) -> u64;

/// The machine code of a policy; dropped, its memory is free.
pub struct NativeCode {
    /// They lie in the span. Beside it, since a policy that no cache holds is found the sooner the fewer places it is in.
    steps: SmallVec<[StepFunction; 2]>,
    words: usize,
    span: CodeSpan,
}

impl NativeCode {
    /// A step, ready to be called.
    pub fn step(&self, step: StepId) -> Option<NativeStep<'_>> {
        let function = *self.steps.get(step.as_u32() as usize)?;
        Some(NativeStep { function, words: self.words, code: PhantomData })
    }

    /// Decides a step on the facts' words; `None` when there is no such step, or fewer words than the layout has.
    #[inline]
    pub fn decide(&self, step: StepId, words: &[u64]) -> Option<DecisionWord> {
        self.step(step)?.decide(words)
    }

    /// How many bytes of code memory it takes.
    pub fn bytes(&self) -> usize {
        self.span.len()
    }
}

impl fmt::Debug for NativeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeCode").field("steps", &self.steps.len()).field("bytes", &self.bytes()).finish()
    }
}

/// A step's function, for as long as its code lives.
#[derive(Clone, Copy, Debug)]
pub struct NativeStep<'c> {
    function: StepFunction,
    words: usize,
    code: PhantomData<&'c NativeCode>,
}

impl NativeStep<'_> {
    /// Decides on the facts' words; `None` when there are fewer than the layout has.
    #[inline]
    pub fn decide(self, words: &[u64]) -> Option<DecisionWord> {
        // The function reads no word beyond the layout's: `validate` has seen every slot.
        (words.len() >= self.words).then(|| DecisionWord((self.function)(words.as_ptr())))
    }
}
