//! Text to [`js`](super::js): the one module that knows oxc.
//!
//! A parser of JavaScript recurses over what it reads. An Action has at most [`MAX_ACTION_BYTES`], brackets are counted
//! beforehand, and the import runs on a stack that holds the deepest nesting of so short a text, so no text overflows
//! it. What is made of the parser's tree is nested no deeper than [`MAX_NESTING`].

use std::rc::Rc;

use oxc_allocator::Allocator;
use oxc_ast::ast;
use oxc_parser::{ParseOptions, Parser};
use oxc_span::{GetSpan, SourceType};

use super::js::*;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};

/// The longest Action that is read: four times what the platform takes.
pub(super) const MAX_ACTION_BYTES: usize = 400 * 1024;

/// How deep code may nest.
pub(super) const MAX_NESTING: usize = 128;

/// Reads an Action, or says why it is none.
pub(super) fn parse(file: FileId, text: &str) -> Result<Script, Box<Diagnostic>> {
    if text.len() > MAX_ACTION_BYTES {
        let message =
            format!("this Action has {} bytes, and at most {MAX_ACTION_BYTES} are read", text.len());
        let report = Diagnostic::error(Code::E0902, Span::new(file, 0..0), message);
        return Err(Box::new(report.note("the platform takes Actions of up to 100 kB")));
    }
    if let Some(at) = deepest(text) {
        let report =
            Diagnostic::error(Code::E0902, Span::new(file, at..at + 1), "this code is nested too deep");
        let report = report.here(format!("more than {MAX_NESTING} brackets are open here"));
        return Err(Box::new(report.help("give parts of it names of their own")));
    }
    let arena = Allocator::default();
    let kind = SourceType::cjs();
    let options = ParseOptions {
        preserve_parens: false,
        allow_return_outside_function: true,
        ..ParseOptions::default()
    };
    let parsed = Parser::new(&arena, text, kind).with_options(options).parse();
    if let Some(error) = parsed.diagnostics.iter().next() {
        let label = error.labels.first();
        let start = label.map_or(0, |label| label.offset() as usize);
        let end = label.map_or(start, |label| start + label.len() as usize);
        let end = floor(text, end.min(text.len()));
        return Err(Box::new(no_javascript(
            Span::new(file, floor(text, start)..end.max(floor(text, start))),
            &error.message,
        )));
    }
    let reader = Reader { file, text };
    let comments = parsed.program.comments.iter().map(|comment| reader.comment(comment)).collect();
    Ok(Script { statements: reader.statements(&parsed.program.body, 0), comments })
}

/// The start of the character at an offset.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn no_javascript(span: Span, said: &str) -> Diagnostic {
    let mut said = said.trim_end_matches('.').replace('`', "'");
    if said.chars().nth(1).is_some_and(char::is_lowercase) {
        said = said.chars().take(1).flat_map(char::to_lowercase).chain(said.chars().skip(1)).collect();
    }
    let report = Diagnostic::error(Code::E0901, span, "this Action is not JavaScript");
    // What follows are a parser's words; they name the place in the language of whoever wrote the code.
    report.here("it can't go on like this").note(format!("in the words of JavaScript: `{said}`"))
}

/// Where brackets nest past the bound, outside of texts and comments.
fn deepest(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0, value_before: false };
    while let Some((at, byte)) = scanner.next_bracket() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            _ => depth = depth.saturating_sub(1),
        }
        if depth > MAX_NESTING {
            return Some(at);
        }
    }
    None
}

/// Finds brackets. A template's parts count as its brackets do; a `/` after a value divides, elsewhere it opens a
/// pattern.
struct Scanner<'t> {
    bytes: &'t [u8],
    at: usize,
    value_before: bool,
}

impl Scanner<'_> {
    fn next_bracket(&mut self) -> Option<(usize, u8)> {
        loop {
            let at = self.at;
            let byte = *self.bytes.get(at)?;
            self.at += 1;
            match (byte, self.bytes.get(self.at)) {
                (b'/', Some(b'/')) => self.skip_past(b"\n"),
                (b'/', Some(b'*')) => self.skip_past(b"*/"),
                (b'/', _) if !self.value_before => self.skip_quoted(b'/'),
                (b'"' | b'\'', _) => self.skip_quoted(byte),
                (b'(' | b'[' | b'{', _) => {
                    self.value_before = false;
                    return Some((at, byte));
                }
                (b')' | b']' | b'}', _) => {
                    self.value_before = true;
                    return Some((at, byte));
                }
                (byte, _) if byte.is_ascii_whitespace() => {}
                (byte, _) => self.value_before = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'),
            }
        }
    }

    fn skip_past(&mut self, end: &[u8]) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.windows(end.len()).position(|window| window == end);
        self.at = length.map_or(self.bytes.len(), |length| self.at + length + end.len());
    }

    /// To the end of a text or a pattern: neither crosses a line.
    fn skip_quoted(&mut self, quote: u8) {
        self.value_before = true;
        while let Some(byte) = self.bytes.get(self.at) {
            self.at += if *byte == b'\\' { 2 } else { 1 };
            if *byte == quote || *byte == b'\n' {
                return;
            }
        }
    }
}

/// Makes the owned tree.
struct Reader<'t> {
    file: FileId,
    text: &'t str,
}

impl Reader<'_> {
    fn span(&self, span: oxc_span::Span) -> Span {
        Span { file: self.file, start: span.start, end: span.end }
    }

    fn comment(&self, comment: &ast::Comment) -> Comment {
        let inside = comment.content_span();
        let text = self.text.get(inside.start as usize..inside.end as usize).unwrap_or_default();
        let lines = text.lines().map(|line| line.trim().trim_start_matches('*').trim().to_owned());
        let mut lines: Vec<String> = lines.collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        let empty = lines.iter().take_while(|line| line.is_empty()).count();
        lines.drain(..empty);
        Comment { span: self.span(comment.span), lines }
    }

    fn statements(&self, statements: &[ast::Statement<'_>], depth: usize) -> Vec<Statement> {
        statements.iter().map(|statement| self.statement(statement, depth)).collect()
    }

    /// The body of an `if` or a loop, in braces or not.
    fn body(&self, statement: &ast::Statement<'_>, depth: usize) -> Vec<Statement> {
        match statement {
            ast::Statement::BlockStatement(block) if depth < MAX_NESTING => {
                self.statements(&block.body, depth + 1)
            }
            other => vec![self.statement(other, depth + 1)],
        }
    }

    fn statement(&self, statement: &ast::Statement<'_>, depth: usize) -> Statement {
        let kind = if depth > MAX_NESTING {
            StatementKind::Foreign("code nested too deep")
        } else {
            self.statement_kind(statement, depth)
        };
        Statement { span: self.span(statement.span()), kind }
    }

    fn statement_kind(&self, statement: &ast::Statement<'_>, depth: usize) -> StatementKind {
        use ast::Statement as S;
        match statement {
            S::ExpressionStatement(it) => StatementKind::Expression(self.expression(&it.expression, depth)),
            S::VariableDeclaration(it) => self.declaration(it, depth),
            S::FunctionDeclaration(it) => StatementKind::Function(Rc::new(self.function(it, depth))),
            S::IfStatement(it) => self.chain_of_ifs(it, depth),
            S::ReturnStatement(it) => {
                StatementKind::Return(it.argument.as_ref().map(|argument| self.expression(argument, depth)))
            }
            S::SwitchStatement(it) => {
                let cases = it.cases.iter().map(|case| Case {
                    span: self.span(case.span),
                    test: case.test.as_ref().map(|test| self.expression(test, depth)),
                    body: self.statements(&case.consequent, depth + 1),
                });
                StatementKind::Switch(self.expression(&it.discriminant, depth), cases.collect())
            }
            S::BlockStatement(it) => StatementKind::Block(self.statements(&it.body, depth + 1)),
            S::BreakStatement(it) if it.label.is_none() => StatementKind::Break,
            S::ForOfStatement(it) if !it.r#await => self.for_of(it, depth),
            S::TryStatement(it) => {
                let acts = |body: &ast::BlockStatement<'_>| {
                    body.body.iter().any(|statement| !matches!(statement, S::EmptyStatement(_)))
                };
                let caught = it.handler.as_ref().is_some_and(|handler| acts(&handler.body));
                let acts = caught || it.finalizer.as_ref().is_some_and(|body| acts(body));
                let handler = if acts { Handler::Acts } else { Handler::Quiet };
                StatementKind::Try(self.statements(&it.block.body, depth + 1), handler)
            }
            S::EmptyStatement(_) => StatementKind::Nothing,
            other => StatementKind::Foreign(foreign_statement(other)),
        }
    }

    fn declaration(&self, it: &ast::VariableDeclaration<'_>, depth: usize) -> StatementKind {
        let declarators = it.declarations.iter().map(|declarator| Declarator {
            span: self.span(declarator.span),
            pattern: self.pattern(&declarator.id, depth + 1),
            init: declarator.init.as_ref().map(|init| self.expression(init, depth)),
        });
        StatementKind::Declare(declarators.collect())
    }

    fn chain_of_ifs(&self, first: &ast::IfStatement<'_>, depth: usize) -> StatementKind {
        let mut branches = Vec::new();
        let mut at = first;
        loop {
            branches.push((self.expression(&at.test, depth), self.body(&at.consequent, depth)));
            match &at.alternate {
                Some(ast::Statement::IfStatement(next)) => at = next,
                Some(other) => return StatementKind::If(branches, Some(self.body(other, depth))),
                None => return StatementKind::If(branches, None),
            }
        }
    }

    fn for_of(&self, it: &ast::ForOfStatement<'_>, depth: usize) -> StatementKind {
        let ast::ForStatementLeft::VariableDeclaration(left) = &it.left else {
            return StatementKind::Foreign("a loop");
        };
        let Some(declarator) = left.declarations.first() else { return StatementKind::Foreign("a loop") };
        let pattern = self.pattern(&declarator.id, depth + 1);
        StatementKind::ForOf(pattern, self.expression(&it.right, depth), self.body(&it.body, depth))
    }

    fn pattern(&self, pattern: &ast::BindingPattern<'_>, depth: usize) -> Pattern {
        let foreign = Pattern::Foreign(self.span(pattern.span()));
        if depth > MAX_NESTING {
            return foreign;
        }
        match pattern {
            ast::BindingPattern::BindingIdentifier(it) => {
                Pattern::Name(it.name.to_string(), self.span(it.span))
            }
            ast::BindingPattern::ObjectPattern(it) if it.rest.is_none() => {
                let properties = it.properties.iter().map(|property| {
                    let key = property.key.static_name()?.into_owned();
                    Some(match &property.value {
                        ast::BindingPattern::AssignmentPattern(value) => {
                            let default = self.expression(&value.right, depth + 1);
                            (key, self.pattern(&value.left, depth + 1), Some(default))
                        }
                        value => (key, self.pattern(value, depth + 1), None),
                    })
                });
                properties.collect::<Option<_>>().map_or(foreign, Pattern::Object)
            }
            _ => foreign,
        }
    }

    fn function(&self, it: &ast::Function<'_>, depth: usize) -> Function {
        let body = it.body.as_ref().map(|body| self.statements(&body.statements, depth + 1));
        Function {
            span: self.span(it.span),
            name: it.id.as_ref().map(|id| id.name.to_string()),
            parameters: self.parameters(&it.params, depth),
            body: Body::Statements(body.unwrap_or_default()),
            foreign: match (it.generator, it.params.rest.is_some()) {
                (true, _) => Some("a generator"),
                (_, true) => Some("a rest parameter"),
                _ => None,
            },
        }
    }

    fn arrow(&self, it: &ast::ArrowFunctionExpression<'_>, depth: usize) -> Function {
        let body = match &it.body {
            ast::ArrowFunctionBody::FunctionBody(body) => {
                Body::Statements(self.statements(&body.statements, depth + 1))
            }
            other => Body::Expression(Box::new(match other.as_expression() {
                Some(expression) => self.expression(expression, depth + 1),
                None => self.foreign(it.span, "this function"),
            })),
        };
        Function {
            span: self.span(it.span),
            name: None,
            parameters: self.parameters(&it.params, depth),
            body,
            foreign: it.params.rest.is_some().then_some("a rest parameter"),
        }
    }

    fn parameters(
        &self,
        parameters: &ast::FormalParameters<'_>,
        depth: usize,
    ) -> Vec<(Pattern, Option<Expr>)> {
        let each = parameters.items.iter().map(|parameter| {
            let default = parameter.initializer.as_ref().map(|value| self.expression(value, depth + 1));
            (self.pattern(&parameter.pattern, depth + 1), default)
        });
        each.collect()
    }

    fn foreign(&self, span: oxc_span::Span, what: &'static str) -> Expr {
        Expr { span: self.span(span), kind: ExprKind::Foreign(what) }
    }

    fn boxed(&self, expression: &ast::Expression<'_>, depth: usize) -> Box<Expr> {
        Box::new(self.expression(expression, depth))
    }

    fn expression(&self, expression: &ast::Expression<'_>, depth: usize) -> Expr {
        if depth > MAX_NESTING {
            return self.foreign(expression.span(), "code nested too deep");
        }
        Expr { span: self.span(expression.span()), kind: self.kind(expression, depth + 1) }
    }

    fn kind(&self, expression: &ast::Expression<'_>, depth: usize) -> ExprKind {
        use ast::Expression as E;
        match expression {
            E::BooleanLiteral(it) => ExprKind::Bool(it.value),
            E::NullLiteral(_) => ExprKind::Null,
            E::NumericLiteral(it) => ExprKind::Number(it.value),
            E::StringLiteral(it) => ExprKind::Text(it.value.to_string()),
            E::TemplateLiteral(it) => self.template(it, depth),
            E::RegExpLiteral(it) => match it.regex.flags {
                flags if flags.is_empty() => {
                    ExprKind::Pattern(it.regex.pattern.text.to_string(), Letters::Exact)
                }
                flags if flags == ast::RegExpFlags::I => {
                    ExprKind::Pattern(it.regex.pattern.text.to_string(), Letters::EitherCase)
                }
                _ => ExprKind::Foreign("a pattern"),
            },
            E::Identifier(it) => ExprKind::Name(it.name.to_string()),
            E::ArrayExpression(it) => self.array(it, depth),
            E::ObjectExpression(it) => self.object(it, depth),
            E::ArrowFunctionExpression(it) => ExprKind::Function(Rc::new(self.arrow(it, depth))),
            E::FunctionExpression(it) => ExprKind::Function(Rc::new(self.function(it, depth))),
            E::AwaitExpression(it) => ExprKind::Await(self.boxed(&it.argument, depth)),
            E::CallExpression(it) => self.call(it, depth),
            E::NewExpression(it) => {
                ExprKind::New(self.boxed(&it.callee, depth), self.arguments(&it.arguments, depth))
            }
            E::ChainExpression(it) => self.optional_chain(it, depth),
            E::ConditionalExpression(it) => ExprKind::Conditional(
                self.boxed(&it.test, depth),
                self.boxed(&it.consequent, depth),
                self.boxed(&it.alternate, depth),
            ),
            E::LogicalExpression(it) => self.logical(it, depth),
            E::BinaryExpression(it) => match binary(it.operator) {
                Some(operator) => {
                    ExprKind::Binary(operator, self.boxed(&it.left, depth), self.boxed(&it.right, depth))
                }
                None => ExprKind::Foreign("this operator"),
            },
            E::UnaryExpression(it) => match unary(it.operator) {
                Some(operator) => ExprKind::Unary(operator, self.boxed(&it.argument, depth)),
                None => ExprKind::Foreign("this operator"),
            },
            E::AssignmentExpression(it) => self.assignment(it, depth),
            E::ParenthesizedExpression(it) => self.expression(&it.expression, depth).kind,
            other => match other.as_member_expression() {
                Some(member) => self.member(member, depth),
                None => ExprKind::Foreign(foreign_expression(other)),
            },
        }
    }

    fn template(&self, it: &ast::TemplateLiteral<'_>, depth: usize) -> ExprKind {
        let texts = it.quasis.iter().map(|part| part.value.cooked.as_ref().map(ToString::to_string));
        let Some(mut texts) = texts.collect::<Option<Vec<String>>>() else {
            return ExprKind::Foreign("this text");
        };
        if it.expressions.is_empty() {
            return ExprKind::Text(texts.pop().unwrap_or_default());
        }
        ExprKind::Template(texts, it.expressions.iter().map(|part| self.expression(part, depth)).collect())
    }

    fn array(&self, it: &ast::ArrayExpression<'_>, depth: usize) -> ExprKind {
        let elements = it.elements.iter().map(|element| match element {
            ast::ArrayExpressionElement::SpreadElement(spread) => {
                Some(Element::Spread(self.expression(&spread.argument, depth)))
            }
            other => other.as_expression().map(|one| Element::One(self.expression(one, depth))),
        });
        elements.collect::<Option<_>>().map_or(ExprKind::Foreign("a hole in a list"), ExprKind::Array)
    }

    fn object(&self, it: &ast::ObjectExpression<'_>, depth: usize) -> ExprKind {
        let properties = it.properties.iter().map(|property| match property {
            ast::ObjectPropertyKind::SpreadProperty(spread) => {
                Some(Property::Spread(self.expression(&spread.argument, depth)))
            }
            ast::ObjectPropertyKind::ObjectProperty(one) => {
                let plain = one.kind == ast::PropertyKind::Init && !one.computed;
                let key = one.key.static_name().filter(|_| plain)?;
                Some(Property::Key(key.into_owned(), self.expression(&one.value, depth)))
            }
        });
        properties.collect::<Option<_>>().map_or(ExprKind::Foreign("a computed key"), ExprKind::Object)
    }

    fn arguments(&self, arguments: &[ast::Argument<'_>], depth: usize) -> Vec<Element> {
        let each = arguments.iter().map(|argument| match argument {
            ast::Argument::SpreadElement(spread) => Element::Spread(self.expression(&spread.argument, depth)),
            other => Element::One(match other.as_expression() {
                Some(one) => self.expression(one, depth),
                None => self.foreign(other.span(), "this argument"),
            }),
        });
        each.collect()
    }

    fn call(&self, it: &ast::CallExpression<'_>, depth: usize) -> ExprKind {
        if it.optional {
            return ExprKind::Foreign("a call of what may be absent");
        }
        ExprKind::Call(self.boxed(&it.callee, depth), self.arguments(&it.arguments, depth))
    }

    fn optional_chain(&self, it: &ast::ChainExpression<'_>, depth: usize) -> ExprKind {
        let span = self.span(it.span);
        let kind = match &it.expression {
            ast::ChainElement::CallExpression(call) => self.call(call, depth),
            other => match other.as_member_expression() {
                Some(member) => self.member(member, depth),
                None => ExprKind::Foreign("this"),
            },
        };
        ExprKind::Chain(Box::new(Expr { span, kind }))
    }

    fn member(&self, it: &ast::MemberExpression<'_>, depth: usize) -> ExprKind {
        let access = if it.optional() { Access::Optional } else { Access::Plain };
        match (it.static_property_name(), it) {
            (Some(name), _) => ExprKind::Member(self.boxed(it.object(), depth), name.to_string(), access),
            (None, ast::MemberExpression::ComputedMemberExpression(computed)) => {
                ExprKind::Index(self.boxed(&computed.object, depth), self.boxed(&computed.expression, depth))
            }
            _ => ExprKind::Foreign("a private field"),
        }
    }

    /// A chain of one operator, flat.
    fn logical(&self, it: &ast::LogicalExpression<'_>, depth: usize) -> ExprKind {
        let mut parts = vec![self.expression(&it.right, depth)];
        let mut left = &it.left;
        while let ast::Expression::LogicalExpression(inner) = left.without_parentheses()
            && inner.operator == it.operator
        {
            parts.push(self.expression(&inner.right, depth));
            left = &inner.left;
        }
        parts.push(self.expression(left, depth));
        parts.reverse();
        let operator = match it.operator {
            ast::LogicalOperator::And => Logical::And,
            ast::LogicalOperator::Or => Logical::Or,
            ast::LogicalOperator::Coalesce => Logical::Nullish,
        };
        ExprKind::Logical(operator, parts)
    }

    /// `x = …` and its kin, of a name; `exports.onExecutePostLogin = …` is told apart by its target's text.
    fn assignment(&self, it: &ast::AssignmentExpression<'_>, depth: usize) -> ExprKind {
        let value = self.boxed(&it.right, depth);
        let name = match &it.left {
            ast::AssignmentTarget::AssignmentTargetIdentifier(target) => target.name.to_string(),
            other => {
                match other.as_simple_assignment_target().and_then(|target| target.as_member_expression()) {
                    Some(_) if it.operator == ast::AssignmentOperator::Assign => {
                        let span = self.span(it.left.span());
                        self.text.get(span.range()).unwrap_or_default().split_whitespace().collect()
                    }
                    _ => return ExprKind::Foreign("this assignment"),
                }
            }
        };
        let old = |operator| {
            let at = self.span(it.left.span());
            let old = Expr { span: at, kind: ExprKind::Name(name.clone()) };
            (operator, old)
        };
        let (operator, old) = match it.operator {
            ast::AssignmentOperator::Assign => return ExprKind::Assign(name, value),
            ast::AssignmentOperator::LogicalOr => old(Logical::Or),
            ast::AssignmentOperator::LogicalAnd => old(Logical::And),
            ast::AssignmentOperator::LogicalNullish => old(Logical::Nullish),
            _ => return ExprKind::Foreign("this assignment"),
        };
        let span = value.span;
        ExprKind::Assign(name, Box::new(Expr { span, kind: ExprKind::Logical(operator, vec![old, *value]) }))
    }
}

fn binary(operator: ast::BinaryOperator) -> Option<Binary> {
    use ast::BinaryOperator as B;
    Some(match operator {
        B::Equality => Binary::Equal(Equality::Loose),
        B::Inequality => Binary::NotEqual(Equality::Loose),
        B::StrictEquality => Binary::Equal(Equality::Strict),
        B::StrictInequality => Binary::NotEqual(Equality::Strict),
        B::LessThan => Binary::Less,
        B::LessEqualThan => Binary::LessOrEqual,
        B::GreaterThan => Binary::Greater,
        B::GreaterEqualThan => Binary::GreaterOrEqual,
        B::Addition => Binary::Add,
        B::Subtraction => Binary::Subtract,
        B::Multiplication => Binary::Multiply,
        B::Division => Binary::Divide,
        B::In => Binary::In,
        _ => return None,
    })
}

fn unary(operator: ast::UnaryOperator) -> Option<Unary> {
    use ast::UnaryOperator as U;
    Some(match operator {
        U::LogicalNot => Unary::Not,
        U::UnaryNegation => Unary::Minus,
        U::UnaryPlus => Unary::Plus,
        U::Typeof => Unary::Typeof,
        U::Void => Unary::Void,
        _ => return None,
    })
}

fn foreign_statement(statement: &ast::Statement<'_>) -> &'static str {
    use ast::Statement as S;
    match statement {
        S::DoWhileStatement(_)
        | S::ForInStatement(_)
        | S::ForStatement(_)
        | S::WhileStatement(_)
        | S::ForOfStatement(_) => "a loop",
        S::ThrowStatement(_) => "a `throw`",
        S::ClassDeclaration(_) => "a class",
        S::ImportDeclaration(_) => "an import",
        _ => "this statement",
    }
}

fn foreign_expression(expression: &ast::Expression<'_>) -> &'static str {
    use ast::Expression as E;
    match expression {
        E::UpdateExpression(_) => "this assignment",
        E::ImportExpression(_) => "an import",
        E::ClassExpression(_) => "a class",
        E::ThisExpression(_) => "`this`",
        _ => "this",
    }
}
