//! The embedded engine: a runtime and a realm for each run, dropped with all that is in them.

use std::cell::Cell;
use std::rc::Rc;

use jiff::Timestamp;
use rquickjs::context::{EvalOptions, intrinsic};
use rquickjs::promise::MaybePromise;
use rquickjs::{CatchResultExt, CaughtError, Coerced, Context, Ctx, Function, Object, Runtime, Value};

use super::{Action, Bounds, Run, RunError};

/// Sets up a realm; the tests run Actions in other engines under the same one.
const HOST: &str = include_str!("host.js");

/// The engine asks so often whether to go on: once in this many calls and backward jumps.
const STEPS_A_QUESTION: u64 = 10_000;

/// What the language itself has; no clock beside `Date`, which the host replaces.
type Realm = (
    intrinsic::Date,
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::Proxy,
    intrinsic::MapSet,
    intrinsic::TypedArrays,
    intrinsic::Promise,
);

pub(super) fn check(action: &Action) -> Result<(), RunError> {
    Room::new(action.bounds)?.enter(&serde_json::Value::Null, Timestamp::UNIX_EPOCH, |ctx, host, room| {
        room.load(ctx, host, &action.code)
    })
}

pub(super) fn run(action: &Action, event: &serde_json::Value, now: Timestamp) -> Result<Run, RunError> {
    Room::new(action.bounds)?.enter(event, now, |ctx, host, room| {
        room.load(ctx, host, &action.code)?;
        room.drive(ctx, host)?;
        room.recorded(ctx, host)
    })
}

/// A runtime within bounds.
struct Room {
    runtime: Runtime,
    bounds: Bounds,
    is_out_of_steps: Rc<Cell<bool>>,
}

impl Room {
    fn new(bounds: Bounds) -> Result<Self, RunError> {
        let runtime = Runtime::new().map_err(|_| RunError::OutOfMemory { memory: bounds.memory })?;
        runtime.set_memory_limit(bounds.memory);
        runtime.set_max_stack_size(bounds.stack);
        let is_out_of_steps = Rc::new(Cell::new(false));
        let (flag, mut left) = (Rc::clone(&is_out_of_steps), bounds.steps.div_ceil(STEPS_A_QUESTION));
        runtime.set_interrupt_handler(Some(Box::new(move || {
            left = left.saturating_sub(1);
            flag.set(left == 0);
            left == 0
        })));
        Ok(Room { runtime, bounds, is_out_of_steps })
    }

    /// Does something in a fresh realm that the host has set up.
    fn enter<T>(
        &self,
        event: &serde_json::Value,
        now: Timestamp,
        act: impl for<'js> FnOnce(&Ctx<'js>, &Object<'js>, &Room) -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        let realm = Context::custom::<Realm>(&self.runtime).map_err(|_| self.out_of_memory())?;
        realm.with(|ctx| {
            let milliseconds = now.as_millisecond() as f64;
            let host = ctx.eval::<Function<'_>, _>(HOST);
            let host = host.and_then(|host| host.call((event.to_string(), milliseconds)));
            let host: Object<'_> = host.catch(&ctx).map_err(|caught| self.failure(&caught))?;
            act(&ctx, &host, self)
        })
    }

    /// Evaluates the code; afterwards there is a handler.
    fn load<'js>(&self, ctx: &Ctx<'js>, host: &Object<'js>, code: &str) -> Result<(), RunError> {
        let mut options = EvalOptions::default();
        options.strict = false;
        let evaluated = ctx.eval_with_options::<Value<'js>, _>(code, options).catch(ctx);
        if let Err(caught) = evaluated {
            let failure = self.failure(&caught);
            return Err(match failure {
                RunError::Threw { message } if !is_code(host, code) => RunError::NotJavaScript { message },
                failure => failure,
            });
        }
        match self.ask::<bool>(ctx, host, "hasHandler")? {
            true => Ok(()),
            false => Err(RunError::NoHandler),
        }
    }

    /// Runs the handler until what it gave is settled.
    fn drive<'js>(&self, ctx: &Ctx<'js>, host: &Object<'js>) -> Result<(), RunError> {
        let given: MaybePromise<'js> = self.ask(ctx, host, "begin")?;
        let settled = given.finish::<Value<'js>>().catch(ctx);
        // Where a job was interrupted, the promise is pending for ever and nothing says why.
        if self.is_out_of_steps.get() {
            return Err(RunError::OutOfSteps { steps: self.bounds.steps });
        }
        settled.map(drop).map_err(|caught| match caught {
            CaughtError::Error(rquickjs::Error::WouldBlock) => RunError::NeverSettled,
            caught => self.failure(&caught),
        })
    }

    fn recorded<'js>(&self, ctx: &Ctx<'js>, host: &Object<'js>) -> Result<Run, RunError> {
        let text: String = self.ask(ctx, host, "recorded")?;
        serde_json::from_str(&text).map_err(|error| RunError::Unreadable { message: error.to_string() })
    }

    /// Calls a function of the host without arguments.
    fn ask<'js, T: rquickjs::FromJs<'js>>(
        &self,
        ctx: &Ctx<'js>,
        host: &Object<'js>,
        function: &str,
    ) -> Result<T, RunError> {
        let answer = host.get::<_, Function<'js>>(function).and_then(|function| function.call(()));
        answer.catch(ctx).map_err(|caught| self.failure(&caught))
    }

    /// What an exception says, once the bounds are ruled out.
    fn failure(&self, caught: &CaughtError<'_>) -> RunError {
        let message = match caught {
            CaughtError::Error(rquickjs::Error::Allocation) => return self.out_of_memory(),
            CaughtError::Error(error) => error.to_string(),
            CaughtError::Exception(exception) => thrown_text(exception.as_object().as_value()),
            CaughtError::Value(value) => thrown_text(value),
        };
        match message.as_str() {
            _ if self.is_out_of_steps.get() => RunError::OutOfSteps { steps: self.bounds.steps },
            "InternalError: out of memory" => self.out_of_memory(),
            _ => RunError::Threw { message },
        }
    }

    fn out_of_memory(&self) -> RunError {
        RunError::OutOfMemory { memory: self.bounds.memory }
    }
}

/// Whether the text parses: `SyntaxError` is also something that code may throw.
fn is_code(host: &Object<'_>, code: &str) -> bool {
    let answer = host.get::<_, Function<'_>>("isCode").and_then(|parses| parses.call((code,)));
    answer.unwrap_or(false)
}

/// A thrown value as `String(value)` would say it; that may run more of the Action's code, within its bounds.
fn thrown_text(value: &Value<'_>) -> String {
    match value.get::<Coerced<String>>() {
        Ok(text) => text.0,
        Err(_) => "a value without a text".to_owned(),
    }
}
