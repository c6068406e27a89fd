//! The walk: an event's values, as they come, to the slots that want them.

use crate::check::policy::Type;
use crate::lower::layout::Layout;
use crate::lower::paths::{Consumer, PathId};
use crate::runtime::read::scalar::{Refusal, Scalar, wanted};
use crate::runtime::read::{ReadError, ReadErrorKind};
use crate::runtime::record::Record;
use crate::runtime::store::factor_named;

/// One walk through one event.
pub(super) struct Walk<'f> {
    pub(super) layout: &'f Layout,
    record: &'f mut Record,
    /// For each node, what was met of it since its object began.
    met: &'f mut [Met],
    method: Method,
    /// The error that stopped the walk, while serde's own error type takes its place.
    pub(super) error: Option<ReadError>,
}

/// What an object at hand has of a key that is read.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(in crate::runtime) enum Met {
    #[default]
    Nothing,
    /// The key, and `null` or no value yet.
    Key,
    Value,
}

/// What is known of the authentication method at hand.
#[derive(Clone, Copy, Default)]
struct Method {
    is_second_factor: bool,
    factor: Option<u64>,
    stamp: Option<i64>,
}

type Walked = Result<(), ReadError>;

impl<'f> Walk<'f> {
    pub(super) fn new(layout: &'f Layout, record: &'f mut Record, met: &'f mut [Met]) -> Self {
        Walk { layout, record, met, method: Method::default(), error: None }
    }

    /// A value without parts.
    pub(super) fn scalar(&mut self, at: PathId, scalar: Scalar<'_>) -> Walked {
        self.met[at.index()] = Met::Value;
        let layout = self.layout;
        let node = layout.paths.node(at);
        for consumer in node.consumers() {
            match consumer {
                Consumer::Presence(presence) => self.record.appear(layout, presence),
                Consumer::Variable(variable) => {
                    self.variable(variable, scalar).map_err(|refusal| self.refused(at, variable, refusal))?;
                }
                Consumer::Element(variable) => {
                    self.element(variable, scalar).map_err(|refusal| {
                        self.error(at, refusal, element_wanted(&layout.variables[variable].ty))
                    })?;
                }
                Consumer::EnrolledType
                | Consumer::MethodName
                | Consumer::MethodType
                | Consumer::MethodTime => {
                    self.built_in(at, consumer, scalar)?;
                }
                Consumer::Gathered(_) | Consumer::Enrolled | Consumer::Method => {}
            }
        }
        self.needs_parts(at, scalar.found())
    }

    /// An error where a value should have parts.
    fn needs_parts(&self, at: PathId, found: &str) -> Walked {
        let node = self.layout.paths.node(at);
        let wanted = match (node.element().is_some(), node.has_keys()) {
            (true, _) => "a list",
            (_, true) => "an object",
            _ => return Ok(()),
        };
        Err(self.wrong_type(at, found, wanted))
    }

    /// An object begins.
    pub(super) fn object(&mut self, at: PathId) -> Walked {
        self.met[at.index()] = Met::Value;
        let node = self.layout.paths.node(at);
        self.met[node.parts()].fill(Met::Nothing);
        if node.element().is_some() {
            return Err(self.wrong_type(at, "an object", "a list"));
        }
        for consumer in node.consumers() {
            match consumer {
                Consumer::Presence(presence) => self.record.appear(self.layout, presence),
                Consumer::Method => self.method = Method::default(),
                Consumer::Enrolled | Consumer::Gathered(_) => {}
                scalar => return Err(self.unfit(at, scalar, "an object")),
            }
        }
        Ok(())
    }

    /// The object ends.
    pub(super) fn object_end(&mut self, at: PathId) -> Walked {
        let node = self.layout.paths.node(at);
        if let Some(key) = node.required().find(|key| self.met[key.index()] != Met::Value) {
            return Err(self.missing(key));
        }
        if node.consumers().any(|consumer| consumer == Consumer::Method) {
            self.method_end(at)
        } else {
            Ok(())
        }
    }

    fn method_end(&mut self, at: PathId) -> Walked {
        let Method { is_second_factor: true, factor: Some(factor), stamp } = self.method else {
            return Ok(());
        };
        let Some(stamp) = stamp else {
            let time = self.layout.paths.node(at).key("timestamp");
            return Err(self.missing(time.unwrap_or(at)));
        };
        self.record.push_performed(self.layout, factor, stamp);
        Ok(())
    }

    /// An array begins; its elements are read at the node returned, if at all.
    pub(super) fn array(&mut self, at: PathId) -> Result<Option<PathId>, ReadError> {
        self.met[at.index()] = Met::Value;
        let node = self.layout.paths.node(at);
        if node.has_keys() {
            return Err(self.wrong_type(at, "a list", "an object"));
        }
        for consumer in node.consumers() {
            match consumer {
                Consumer::Presence(presence) => self.record.appear(self.layout, presence),
                Consumer::Gathered(variable) => {
                    self.record.fill(self.layout, variable);
                    self.record.begin_list(self.layout, variable);
                }
                other => return Err(self.unfit(at, other, "a list")),
            }
        }
        Ok(node.element())
    }

    /// An object has a key that is read; it may have it once.
    #[inline]
    pub(super) fn key(&mut self, at: PathId) -> Walked {
        if self.met[at.index()] != Met::Nothing {
            return Err(self.repeated(at));
        }
        self.met[at.index()] = Met::Key;
        Ok(())
    }

    #[cold]
    fn repeated(&self, at: PathId) -> ReadError {
        ReadError {
            path: self.layout.paths.text(at),
            found: "a repeated key".to_owned(),
            wanted: "one value".to_owned(),
            kind: ReadErrorKind::RepeatedKey,
        }
    }

    fn variable(&mut self, variable: usize, scalar: Scalar<'_>) -> Result<(), Refusal> {
        let layout = self.layout;
        let number = match &layout.variables[variable].ty {
            Type::Bool => {
                let value = scalar.bool()?;
                self.record.fill(layout, variable);
                self.record.store_bool(layout, variable, value);
                return Ok(());
            }
            Type::Int => scalar.int()?,
            Type::Time => scalar.instant()?,
            Type::Duration => scalar.duration()?,
            Type::OrderedEnum(values) => scalar.one_of(values)?,
            Type::OpenEnum(values) => {
                let text = scalar.text()?;
                values.iter().position(|value| value == text).unwrap_or(values.len()) as i64
            }
            Type::Ip => {
                let address = scalar.address()?;
                self.record.fill(layout, variable);
                self.record.store_address(layout, variable, address);
                return Ok(());
            }
            Type::Text | Type::Factor | Type::TextList | Type::FactorSet => {
                let text = scalar.text()?;
                self.record.fill(layout, variable);
                self.text(variable, text);
                return Ok(());
            }
        };
        self.record.fill(layout, variable);
        self.record.store_number(layout, variable, number);
        Ok(())
    }

    fn text(&mut self, variable: usize, text: &str) {
        match self.layout.variables[variable].ty {
            Type::Factor => {
                let factor = factor_named(self.layout, text);
                self.record.store_factors(self.layout, variable, factor);
            }
            Type::TextList | Type::FactorSet => {
                self.record.begin_list(self.layout, variable);
                self.push(variable, text);
            }
            _ => self.record.store_text(self.layout, variable, text),
        }
    }

    fn element(&mut self, variable: usize, scalar: Scalar<'_>) -> Result<(), Refusal> {
        let text = scalar.text()?;
        self.push(variable, text);
        Ok(())
    }

    /// Adds a text to a list or set: whole, or cut at the separator, without the white space around and without
    /// empty items.
    fn push(&mut self, variable: usize, text: &str) {
        match &self.layout.variables[variable].split {
            None => self.record.push_element(self.layout, variable, text),
            Some(separator) => {
                let items = text.split(&**separator).map(|item| item.trim_matches(ascii_white_space));
                for item in items.filter(|item| !item.is_empty()) {
                    self.record.push_element(self.layout, variable, item);
                }
            }
        }
    }

    fn built_in(&mut self, at: PathId, consumer: Consumer, scalar: Scalar<'_>) -> Walked {
        let wanted = built_in_wanted(consumer);
        if consumer == Consumer::MethodTime {
            let stamp = scalar.instant().map_err(|refusal| self.error(at, refusal, wanted))?;
            self.method.stamp = Some(stamp);
            return Ok(());
        }
        let text = scalar.text().map_err(|refusal| self.error(at, refusal, wanted))?;
        match consumer {
            Consumer::MethodName => self.method.is_second_factor = text == "mfa",
            Consumer::MethodType => self.method.factor = Some(factor_named(self.layout, text)),
            _ => {
                self.record.push_enrolled(self.layout, text);
            }
        }
        Ok(())
    }

    fn unfit(&self, at: PathId, consumer: Consumer, found: &str) -> ReadError {
        match consumer {
            Consumer::Variable(variable) => {
                self.refused(at, variable, (found.to_owned(), ReadErrorKind::WrongType))
            }
            Consumer::Element(variable) => {
                self.wrong_type(at, found, element_wanted(&self.layout.variables[variable].ty))
            }
            built_in => self.wrong_type(at, found, built_in_wanted(built_in)),
        }
    }

    fn refused(&self, at: PathId, variable: usize, refusal: Refusal) -> ReadError {
        self.error(at, refusal, &wanted(&self.layout.variables[variable]))
    }

    fn wrong_type(&self, at: PathId, found: &str, wanted: &str) -> ReadError {
        self.error(at, (found.to_owned(), ReadErrorKind::WrongType), wanted)
    }

    fn error(&self, at: PathId, (found, kind): Refusal, wanted: &str) -> ReadError {
        ReadError { path: self.layout.paths.text(at), found, wanted: wanted.to_owned(), kind }
    }

    fn missing(&self, at: PathId) -> ReadError {
        let node = self.layout.paths.node(at);
        let unfit = node.consumers().map(|consumer| self.unfit(at, consumer, "missing")).next();
        let unfit = unfit.or_else(|| self.needs_parts(at, "missing").err());
        let unfit = unfit.unwrap_or_else(|| self.wrong_type(at, "missing", "a value"));
        ReadError { kind: ReadErrorKind::Missing, ..unfit }
    }
}

fn ascii_white_space(c: char) -> bool {
    c.is_ascii_whitespace()
}

fn element_wanted(ty: &Type) -> &'static str {
    if *ty == Type::FactorSet { "a factor's name" } else { "a string" }
}

fn built_in_wanted(consumer: Consumer) -> &'static str {
    match consumer {
        Consumer::MethodTime => "an RFC 3339 instant",
        Consumer::EnrolledType | Consumer::MethodType => "a factor's name",
        Consumer::Enrolled | Consumer::Method => "an object",
        Consumer::Gathered(_) => "a list",
        _ => "a string",
    }
}
