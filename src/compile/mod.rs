//! The pipeline's front: text goes in, a policy that decides comes out, or a report that says why not.
//!
//! A [`Compiler`] keeps what compiles have in common: the standard library, parsed; the code generator's working
//! memory; and the code memory that all its policies share. It reads no disk: a host hands texts in, and gives a
//! [`Loader`] for `use "file"`.

mod digest;
mod emit;
mod format;
mod library;
mod load;
mod lost;
mod report;
mod tenant;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Mutex;

pub use emit::Auth0Actions;
pub use format::{Formatted, format_policy};
pub use library::{STARTERS, Starter};
pub use report::{Format, Report};
#[cfg(feature = "tenant-toml")]
pub use tenant::read_tenant;
pub use tenant::{read_export, read_export_tenant};

use crate::backend::jit::{CodeMemory, CodeUsage, JitCompiler, NativeCode};
use crate::backend::witness::{self, Coverage, Defect};
use crate::check::policy::TypedPolicy;
use crate::check::{Checked, PlacedTenant, Role, check};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::flow::compare::{CompareError, Comparison, Detail, compare};
use crate::flow::{self, Analysis, Budget, Scope};
use crate::lower::lower;
use crate::lower::program::Program;
use crate::play;
use crate::policy::{Engine, Policy};
use crate::runtime::SealKey;
use crate::source::{FileId, Loader, NoFiles, Span};
use crate::stack::{DEEPEST_TEXT, with_room};
use crate::tenant::Tenant;
use library::Library;
use lost::Lost;

/// Compiles policies.
///
/// ```
/// use stepup::Compiler;
///
/// let compiler = Compiler::new();
/// let compiled = compiler.compile([("admins.stepup", "if user.isAdmin then challenge otp")])?;
/// assert_eq!(compiled.policy.steps().count(), 1);
/// # Ok::<(), stepup::Report>(())
/// ```
pub struct Compiler {
    library: Library,
    loader: Box<dyn Loader + Send + Sync>,
    tenant: Option<Tenant>,
    engine: Engine,
    validation: Validation,
    budget: Budget,
    /// What logins are sealed with, before it is bound to a policy.
    login_key: Vec<u8>,
    memory: CodeMemory,
    /// Code generators that no compile uses at the moment: one a thread that compiles.
    idle: Mutex<Vec<JitCompiler>>,
}

/// A policy and what there is to say about it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The policy.
    pub policy: Policy,
    /// The warnings.
    pub report: Report,
    /// What the texts mean: for tools that show, test or prove. A server that only decides drops it.
    pub typed: TypedPolicy,
    /// Whether its machine code was held to the interpreter.
    pub validated: Validated,
    /// The files of the flow, in order, and those that they use.
    files: Vec<(FileId, Role)>,
}

/// Whether a [`Compiler`] holds machine code to the interpreter. It costs some microseconds a rule.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Validation {
    /// The tests of stepup do, for all policies.
    #[default]
    Off,
    /// Each compile does, for its own.
    On,
}

/// What came of [validating](Compiler::with_validation) a policy's machine code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Validated {
    /// Nothing: it was not asked for, or there is no machine code.
    Not,
    /// It decides as the interpreter does, on all that was tried.
    Held(Coverage),
    /// It doesn't, which is a defect of stepup. The policy is interpreted, and its report says so.
    Refused(Box<Defect>),
}

/// A policy and all that was asked of it.
#[derive(Debug)]
pub struct Examined {
    /// The policy. Its report holds the findings too.
    pub compiled: Compiled,
    /// The answers, as data.
    pub analysis: Analysis,
}

/// A flow up to the proofs.
struct Proven {
    /// There when nothing was an error.
    typed: Option<(TypedPolicy, Analysis)>,
    report: Report,
    files: Vec<(FileId, Role)>,
}

impl Compiled {
    /// Whether a file is the flow's, or used by it, and not the library's.
    pub(crate) fn is_own(&self, file: FileId) -> bool {
        self.files.iter().any(|(own, _)| *own == file)
    }

    /// The same flow with another meaning, for those who try what a change would do. Nothing is proven of it, and it
    /// is interpreted; `None` when it can't be lowered.
    pub(crate) fn with_typed(&self, typed: TypedPolicy) -> Option<Compiled> {
        let program = lower(&typed).ok()?;
        let policy = Policy::unproven(program, None, self.policy.digest().bytes());
        let (report, files) = (self.report.clone(), self.files.clone());
        Some(Compiled { policy, report, typed, validated: Validated::Not, files })
    }
}

impl Default for Compiler {
    fn default() -> Self {
        Compiler::new()
    }
}

impl fmt::Debug for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiler")
            .field("engine", &self.engine)
            .field("validation", &self.validation)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

impl Compiler {
    /// A compiler with Auth0's catalog, machine code where the host allows it, and no files to `use`.
    pub fn new() -> Self {
        let (library, _) = Library::new(None);
        Compiler {
            library,
            loader: Box::new(NoFiles),
            tenant: None,
            engine: Engine::default(),
            validation: Validation::default(),
            budget: Budget::default(),
            login_key: Vec::new(),
            memory: CodeMemory::new(),
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Takes another catalog of factors, for a host that is not Auth0. The text holds `factor` items; `name` is for
    /// reports.
    ///
    /// # Errors
    /// What the text's syntax has against it; what is wrong with its factors is told by each compile.
    pub fn with_catalog(mut self, name: &str, text: &str) -> Result<Self, Report> {
        let (library, diagnostics) = Library::new(Some((name, text)));
        let report = Report::new(library.sources.clone(), diagnostics);
        if report.has_errors() {
            return Err(report);
        }
        self.library = library;
        Ok(self)
    }

    /// Finds the files that `use "…"` names.
    pub fn with_loader(mut self, loader: impl Loader + Send + Sync + 'static) -> Self {
        self.loader = Box::new(loader);
        self
    }

    /// Compiles for a tenant: its defaults of facts count, the proof knows which factors are enabled, and what can't work
    /// there is an error.
    pub fn with_tenant(mut self, tenant: Tenant) -> Self {
        self.tenant = Some(tenant);
        self
    }

    /// Chooses what executes the policies.
    pub fn with_engine(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }

    /// Whether each compile holds the policy's machine code to the interpreter, on words that lead through all its
    /// ways. Code that decides otherwise is never executed.
    pub fn with_validation(mut self, validation: Validation) -> Self {
        self.validation = validation;
        self
    }

    /// Bounds what the proofs may spend.
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// The secret that [saved logins](crate::SavedLogin) are sealed with, at least 32 random bytes, the same on all
    /// machines that share logins. Without one the seal shows accidents, and no attacker: set it wherever a saved
    /// login passes through other hands.
    pub fn with_login_key(mut self, key: &[u8]) -> Self {
        self.login_key = key.to_vec();
        self
    }

    /// Compiles the files of a flow: their steps, in the order given. Each file is a name for reports and its text.
    ///
    /// # Errors
    /// The report, when it holds an error.
    pub fn compile<N: AsRef<str>, T: AsRef<[u8]>>(
        &self,
        files: impl IntoIterator<Item = (N, T)>,
    ) -> Result<Compiled, Report> {
        let files = files.into_iter();
        let examined = with_room(DEEPEST_TEXT, || self.finish(self.prove(files, Scope::Limit)));
        examined.map(|examined| examined.compiled)
    }

    /// Compiles a flow and asks all that can be asked of it: the built-in questions, and its guarantees.
    ///
    /// # Errors
    /// The report, when it holds an error.
    pub fn examine<N: AsRef<str>, T: AsRef<[u8]>>(
        &self,
        files: impl IntoIterator<Item = (N, T)>,
    ) -> Result<Examined, Report> {
        let files = files.into_iter();
        let examined = with_room(DEEPEST_TEXT, || self.finish(self.prove(files, Scope::Everything)))?;
        let Examined { mut compiled, analysis } = examined;
        let Compiled { typed, policy, report, .. } = &mut compiled;
        for login in analysis.logins() {
            if let Err(defect) = play::confirm(typed, policy, login) {
                debug_assert!(false, "a login that was found can't be played: {defect}");
                report.add(unconfirmed(typed, &defect.to_string()));
            }
        }
        Ok(Examined { compiled, analysis })
    }

    /// A flow that is proven, with code.
    fn finish(&self, proven: Proven) -> Result<Examined, Report> {
        let Proven { typed, mut report, files } = proven;
        let Some((typed, analysis)) = typed else { return Err(report) };
        let program = match lower(&typed) {
            Ok(program) => program,
            Err(bound) => {
                let at = typed.steps.values().next().map(|step| step.declared);
                report.add(past_a_bound(at, &bound.to_string()));
                return Err(report);
            }
        };
        let (native, validated) = self.validated(&program, self.native_code(&program));
        if let Validated::Refused(defect) = &validated {
            report.add(not_executed(&typed, defect));
        }
        let digest = digest::digest(report.sources(), &self.library, self.tenant.as_ref());
        let seal_key = SealKey::new(&self.login_key, digest);
        let policy = Policy::new(program, native, digest, seal_key);
        Ok(Examined { compiled: Compiled { policy, report, typed, validated, files }, analysis })
    }

    /// All that there is to say of a flow without a login.
    pub fn check<N: AsRef<str>, T: AsRef<[u8]>>(&self, files: impl IntoIterator<Item = (N, T)>) -> Report {
        self.examine(files).map_or_else(|report| report, |examined| examined.compiled.report)
    }

    /// Appends another team's files to a flow: its steps, then these, checked and proven as one flow. That each part
    /// stays within four commands says nothing of the whole, so nothing is appended unproven. Of what the two declare,
    /// facts are shared, steps need names of their own, and all else is each file's.
    ///
    /// # Errors
    /// The report on the whole, when it holds an error.
    pub fn append<N: AsRef<str>, T: AsRef<[u8]>>(
        &self,
        base: &Compiled,
        files: impl IntoIterator<Item = (N, T)>,
    ) -> Result<Compiled, Report> {
        let sources = base.report.sources();
        let flow = base.files.iter().filter(|(_, role)| *role == Role::Flow);
        let before = flow.map(|(file, _)| sources.file(*file));
        let before = before.map(|file| (file.name().to_owned(), file.text().as_bytes().to_vec()));
        let more = files.into_iter().map(|(name, text)| (name.as_ref().to_owned(), text.as_ref().to_vec()));
        self.compile(before.chain(more))
    }

    /// What a change of a flow changes: the logins that see something else than before, and those that can complete
    /// with less.
    ///
    /// ```
    /// use stepup::{Compiler, flow::compare::Detail};
    ///
    /// let compiler = Compiler::new();
    /// let old = compiler.compile([("all.stepup", "challenge any of enrolled")])?;
    /// let new = compiler.compile([("all.stepup", "if not user.isAdmin then challenge any of enrolled")])?;
    /// let changes = compiler.compare(&old, &new, Detail::Visible)?;
    /// assert!(changes.classes.iter().all(|class| class.when.text.contains("user.isAdmin")));
    /// assert!(changes.weaker.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the two don't speak of the same things, or comparing them would cost more than it may.
    pub fn compare(
        &self,
        old: &Compiled,
        new: &Compiled,
        detail: Detail,
    ) -> Result<Comparison, CompareError> {
        compare(&old.typed, &new.typed, detail, &self.budget)
    }

    /// What the code of all this compiler's policies takes.
    pub fn code_usage(&self) -> CodeUsage {
        self.memory.usage()
    }

    /// Everything up to the proofs; the policy is there when nothing was an error.
    fn prove<N: AsRef<str>, T: AsRef<[u8]>>(
        &self,
        files: impl IntoIterator<Item = (N, T)>,
        scope: Scope,
    ) -> Proven {
        let files: Vec<(N, T)> = files.into_iter().collect();
        let texts = files.iter().map(|(name, text)| (name.as_ref(), text.as_ref()));
        let mut loaded = load::load(&self.library, &*self.loader, texts);
        let tenant = self.tenant.as_ref().map(|tenant| {
            let first = loaded.sources.append(tenant.texts());
            PlacedTenant { tenant, first }
        });
        let mut diagnostics = loaded.diagnostics;
        let Checked { policy, diagnostics: found } =
            check(&loaded.sources, &self.library.checked, &loaded.units, tenant);
        let lost = Lost::of(&diagnostics, tenant.map(|tenant| tenant.first));
        diagnostics.extend(found.into_iter().filter(|report| !lost.explains(report, &loaded.sources)));
        let files = loaded.units.iter().map(|unit| (unit.tree.file, unit.role)).collect();
        let mut report = Report::new(loaded.sources, diagnostics);
        let Some(policy) = policy.filter(|_| !report.has_errors()) else {
            return Proven { typed: None, report, files };
        };
        let analysis = flow::analyze(&policy, scope, &self.budget);
        let is_own = |span: Span| {
            loaded.units.iter().any(|unit| unit.tree.file == span.file && unit.role == Role::Flow)
        };
        for diagnostic in flow::diagnose(&analysis, &policy, report.sources()) {
            // What a shared text says in vain in this flow it may say for good in another.
            let counts = diagnostic.severity == Severity::Error || is_own(diagnostic.primary.span);
            if counts && !report.has_at(diagnostic.primary.span) {
                report.add(diagnostic);
            }
        }
        let typed = (!report.has_errors()).then_some((policy, analysis));
        Proven { typed, report, files }
    }

    /// Machine code that may be executed, and what validating it said.
    fn validated(&self, program: &Program, native: Option<NativeCode>) -> (Option<NativeCode>, Validated) {
        let (Some(code), Validation::On) = (&native, self.validation) else {
            return (native, Validated::Not);
        };
        match witness::validate(program, |step, words| code.decide(step, words)) {
            Ok(coverage) => (native, Validated::Held(coverage)),
            Err(defect) => (None, Validated::Refused(defect)),
        }
    }

    /// Machine code, where it is wanted and the host allows it; the interpreter gives the same answers.
    fn native_code(&self, program: &Program) -> Option<NativeCode> {
        if self.engine == Engine::Interpreter {
            return None;
        }
        let idle = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        let mut jit = match idle {
            Some(jit) => jit,
            None => JitCompiler::new(self.memory.clone()).ok()?,
        };
        let native = jit.compile(program).ok();
        if let Ok(mut idle) = self.idle.lock() {
            idle.push(jit);
        }
        native
    }
}

/// The machine code is wrong, so it isn't used.
fn not_executed(typed: &TypedPolicy, defect: &Defect) -> Diagnostic {
    let at = typed.steps.values().next().map(|step| step.declared);
    let span = at.unwrap_or(Span::new(FileId(0), 0..0));
    let message = format!("the machine code of this flow is not used, and the flow is interpreted: {defect}");
    Diagnostic::warning(Code::E0502, span, message).help("this is a defect of stepup; please report it")
}

/// A login was found, and the machine does something else: nothing that the proofs say of this flow can be relied on.
fn unconfirmed(typed: &TypedPolicy, defect: &str) -> Diagnostic {
    let at = typed.steps.values().next().map(|step| step.declared);
    let span = at.unwrap_or(Span::new(FileId(0), 0..0));
    let message = format!("what was found of this flow can't be confirmed: {defect}");
    Diagnostic::error(Code::E0502, span, message).help("this is a defect of stepup; please report it")
}

fn past_a_bound(at: Option<Span>, bound: &str) -> Diagnostic {
    let span = at.unwrap_or(Span::new(FileId(0), 0..0));
    Diagnostic::error(Code::E0208, span, bound.to_owned())
        .help("split the policy, or say the same with fewer rules")
}
