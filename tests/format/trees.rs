//! Random trees: every construct of the language, made of a string of random bytes. When the bytes run out, the
//! simplest choice is taken, so a short string gives a small tree and shrinking shrinks the tree.

use stepup::source::{FileId, Sources, Span};
use stepup::syntax::tree::*;

/// Names that can stand anywhere, keywords among them.
const ANY_NAMES: &[&str] =
    &["a", "enroll", "user.isAdmin", "match", "if", "in-network", "std.adaptive", "x_1"];
/// Names that can be an operand: also the words that are keywords only elsewhere.
const OPERANDS: &[&str] = &[
    "a",
    "user.isAdmin",
    "enrolled",
    "webauthn-roaming",
    "in-network",
    "or-else",
    "is",
    "within",
    "contains",
    "initially",
    "always",
    "never",
    "match",
    "enroll",
    "step",
    "test",
    "starts",
    "union",
    "last",
    "this",
    "present",
    "default",
    "split",
    "event",
    "of",
    "ago",
    "performed",
    "define",
    "fact",
    "not-a-keyword",
    "org.display_name",
];
const FACTORS: &[&str] = &["otp", "phone", "webauthn-roaming", "email", "push-notification", "step-up"];
const TEXTS: &[&str] = &[
    "a",
    "",
    "two words",
    "https://x.example/roles",
    "\"quoted\" \\ back",
    "line\nbreak\ttab",
    "ünï ✓ \u{1f600}",
    "// no comment",
    "\u{1}",
];
const DOCS: &[&str] = &["What it is.", "", "  indented", "with // slashes", "`code` \"quote"];
const DURATIONS: &[i64] = &[5_000, 90_000, 600_000, 3_600_000, 86_400_000, 0, 90_061_000];
const PREFIXES: &[&str] = &[
    "10.0.0.0/8",
    "192.168.1.7/32",
    "2001:db8::/32",
    "::1/128",
    "fe80::/10",
    "0.0.0.0/0",
    "1234::/16",
    "12ab::/16",
];
const INSTANTS: &[i64] = &[0, 1_769_817_600_000, 1_769_817_600_123, -1_000];

/// Makes a tree of random bytes.
pub(crate) struct Grower<'b> {
    bytes: std::slice::Iter<'b, u8>,
    span: Span,
}

impl<'b> Grower<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Grower { bytes: bytes.iter(), span: Span::new(only_file(), 0..0) }
    }

    /// A number below `bound`.
    fn roll(&mut self, bound: usize) -> usize {
        self.bytes.next().map_or(0, |byte| usize::from(*byte) % bound)
    }

    fn coin(&mut self) -> bool {
        self.roll(2) == 1
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }

    fn at<T>(&self, node: T) -> Spanned<T> {
        Spanned::new(node, self.span)
    }

    fn name(&mut self, from: &[&str]) -> Name {
        let name = self.pick(from).to_owned();
        self.at(name)
    }

    fn text(&mut self) -> Spanned<String> {
        let text = self.pick(TEXTS).to_owned();
        self.at(text)
    }

    /// `least` things, or a few more, sometimes many.
    fn some<T>(&mut self, least: usize, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let more = self.pick(&[0, 0, 1, 1, 2, 3, 9]);
        (0..least + more).map(|_| one(self)).collect()
    }

    fn maybe<T>(&mut self, one: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.coin().then(|| one(self))
    }

    pub(crate) fn file(&mut self) -> File {
        let docs = self.docs();
        let has_steps = self.coin();
        let entries = self.some(1, |g| match (has_steps, g.roll(3)) {
            (false, 0) => Entry::Statement(g.statement_outside()),
            _ => Entry::Item(g.item(has_steps)),
        });
        File { file: only_file(), docs, entries }
    }

    fn docs(&mut self) -> Vec<Spanned<String>> {
        if self.roll(3) > 0 {
            return Vec::new();
        }
        self.some(1, |g| {
            let line = g.pick(DOCS).to_owned();
            g.at(line)
        })
    }

    /// A `let` outside a step is an item.
    fn statement_outside(&mut self) -> Statement {
        let statement = self.statement(3);
        match statement.kind {
            StatementKind::Let(_) => Statement { span: self.span, kind: StatementKind::Stop },
            _ => statement,
        }
    }

    fn item(&mut self, has_steps: bool) -> Item {
        let docs = self.docs();
        let kind = match self.roll(if has_steps { 9 } else { 8 }) {
            0 => ItemKind::Use(if self.coin() {
                UsePath::File(self.text())
            } else {
                UsePath::Library(self.name(ANY_NAMES))
            }),
            1 => ItemKind::Fact(self.fact()),
            2 => ItemKind::Factor(self.factor()),
            3 => ItemKind::Let(self.binding()),
            4 => ItemKind::Define(Define {
                name: self.name(OPERANDS),
                parameters: self.some(0, |g| Parameter { name: g.name(OPERANDS), ty: g.ty() }),
                body: self.expression(3),
            }),
            5 => ItemKind::Rule(Rule { name: self.name(ANY_NAMES), body: self.braces(3) }),
            6 => ItemKind::Guarantee(Guarantee {
                name: self.text(),
                polarity: self.pick(&[Polarity::Plain, Polarity::Always, Polarity::Never]),
                condition: self.expression(4),
            }),
            7 => ItemKind::Test(self.test()),
            _ => ItemKind::Step(Step { name: self.name(ANY_NAMES), body: self.braces(3) }),
        };
        Item { docs, span: self.span, kind }
    }

    fn fact(&mut self) -> FactItem {
        let marks = [PathMark::Required, PathMark::Optional, PathMark::Each, PathMark::OptionalEach];
        let segments = self.some(1, |g| PathSegment {
            key: if g.coin() { g.name(&["user", "$id", "app_metadata"]) } else { g.text() },
            mark: g.pick(&marks),
        });
        FactItem {
            name: self.name(OPERANDS),
            ty: self.ty(),
            path: EventPath { segments, span: self.span },
            split: self.maybe(Self::text),
            default: self.maybe(|g| g.expression(1)),
        }
    }

    fn ty(&mut self) -> Spanned<Type> {
        let ty = match self.roll(4) {
            0 => Type::Named(self.pick(&["bool", "string", "enum", "no-such"]).to_owned()),
            1 => Type::Of(self.name(&["list", "set"]), self.name(&["string", "factor"])),
            2 => Type::OpenEnum(self.some(1, |g| g.name(ANY_NAMES))),
            _ => Type::OrderedEnum(self.some(2, |g| g.name(ANY_NAMES))),
        };
        let ty = self.at(ty);
        if self.coin() { self.at(Type::Optional(Box::new(ty))) } else { ty }
    }

    fn factor(&mut self) -> FactorItem {
        let options = self.some(0, |g| FactorOption {
            only: g.maybe(|g| {
                let kind = g.command_kind();
                g.at(kind)
            }),
            name: g.name(&["sms", "no-fallback", "enroll", "options"]),
            json: {
                let json = g.pick(&["{}", r#"{"z": "sms", "a": [1, null, true]}"#, r#"{"a": {"b": -1.5}}"#]);
                g.at(serde_json::from_str(json).expect("it is JSON"))
            },
        });
        let words = self.some(0, |g| g.name(&["enroll", "challenge", "phishing-resistant"]));
        FactorItem { name: self.name(FACTORS), words, options }
    }

    fn binding(&mut self) -> Let {
        Let { name: self.name(OPERANDS), value: self.expression(4) }
    }

    fn braces(&mut self, depth: usize) -> Block {
        let statements = if depth == 0 { Vec::new() } else { self.some(0, |g| g.statement(depth - 1)) };
        Block { statements, span: self.span, form: BlockForm::Braced }
    }

    /// What a `then`, an `else` or a `=>` governs. Where an `else` follows, an `if` needs braces.
    fn body(&mut self, depth: usize, else_follows: bool) -> Block {
        if depth == 0 || self.coin() {
            return self.braces(depth);
        }
        let statement = self.statement(depth - 1);
        let takes_else = matches!(statement.kind, StatementKind::If(_));
        let form = if takes_else && else_follows { BlockForm::Braced } else { BlockForm::Bare };
        Block { statements: vec![statement], span: self.span, form }
    }

    fn statement(&mut self, depth: usize) -> Statement {
        let kind = match self.roll(if depth == 0 { 5 } else { 8 }) {
            0 => StatementKind::Stop,
            1 => StatementKind::Command(self.command()),
            2 => StatementKind::Deny(self.text()),
            3 => StatementKind::Let(self.binding()),
            4 => StatementKind::Apply(self.name(ANY_NAMES)),
            5 => StatementKind::Match(self.choice(depth)),
            _ => {
                let otherwise = self.coin();
                let count = self.pick(&[1, 1, 2, 3]);
                let branch =
                    |g: &mut Self, index| (g.expression(3), g.body(depth, otherwise || index + 1 < count));
                let branches = (0..count).map(|index| branch(self, index)).collect();
                // An `if` right in an `else` is one branch more.
                StatementKind::If(If { branches, otherwise: otherwise.then(|| self.body(depth, true)) })
            }
        };
        Statement { span: self.span, kind }
    }

    fn choice(&mut self, depth: usize) -> Match {
        let pattern = |g: &mut Self| {
            let kind = if g.coin() { g.literal() } else { ExpressionKind::Name(g.pick(OPERANDS).to_owned()) };
            g.make(kind)
        };
        Match {
            subject: self.expression(2),
            arms: self.some(0, |g| Arm { patterns: g.some(1, pattern), body: g.body(depth, false) }),
            otherwise: self.maybe(|g| g.body(depth, false)),
        }
    }

    fn command_kind(&mut self) -> CommandKind {
        self.pick(&[CommandKind::Enroll, CommandKind::Challenge])
    }

    fn command(&mut self) -> Command {
        let kind = self.command_kind();
        let offer = match self.roll(3) {
            0 => Offer::Preferred {
                factors: self.some(1, Self::factor_use),
                rest: self.maybe(|g| g.expression(2)),
            },
            1 => {
                let factors = self.some(1, Self::factor_use);
                Offer::AnyListed(self.at(factors))
            }
            _ => match self.expression(2) {
                list if matches!(*list.kind, ExpressionKind::List(_)) => {
                    Offer::AnyIn(self.make(ExpressionKind::Name("enrolled".to_owned())))
                }
                set => Offer::AnyIn(set),
            },
        };
        Command { kind: self.at(kind), offer, span: self.span }
    }

    fn factor_use(&mut self) -> FactorUse {
        let options =
            if self.roll(3) > 0 { Vec::new() } else { self.some(1, |g| g.name(&["sms", "no-fallback"])) };
        FactorUse { factor: self.name(FACTORS), options, span: self.span }
    }

    fn make(&self, kind: ExpressionKind) -> Expression {
        Expression { span: self.span, kind: Box::new(kind) }
    }

    fn expression(&mut self, depth: usize) -> Expression {
        let kind = match (depth, self.roll(6)) {
            (0, _) | (_, 0) => self.leaf(),
            (_, 1) => self.test_of(depth - 1),
            (_, 2) => self.call_or_list(depth - 1),
            _ => self.compound(depth - 1),
        };
        self.make(kind)
    }

    fn leaf(&mut self) -> ExpressionKind {
        match self.roll(5) {
            0 | 1 => ExpressionKind::Name(self.pick(OPERANDS).to_owned()),
            2 => ExpressionKind::AnyPerformed,
            3 => ExpressionKind::LastPerformed,
            _ => self.literal(),
        }
    }

    fn literal(&mut self) -> ExpressionKind {
        ExpressionKind::Literal(self.literal_value())
    }

    fn literal_value(&mut self) -> Literal {
        match self.roll(6) {
            0 => Literal::Bool(self.coin()),
            1 => Literal::Int(self.pick(&[0, 7, -5, 9_007_199_254_740_991, -9_007_199_254_740_991])),
            2 => Literal::Text(self.pick(TEXTS).to_owned()),
            3 => Literal::Duration(self.pick(DURATIONS)),
            4 => Literal::Instant(self.pick(INSTANTS)),
            _ => Literal::Prefix(self.pick(PREFIXES).parse().expect("it is a prefix")),
        }
    }

    fn test_of(&mut self, depth: usize) -> ExpressionKind {
        use Operator::*;
        let operators = [
            Equal,
            NotEqual,
            Less,
            LessOrEqual,
            Greater,
            GreaterOrEqual,
            In,
            NotIn,
            StartsWith,
            EndsWith,
            Contains,
            ContainsAny,
            ContainsAll,
        ];
        let tests = [IsTest::Present, IsTest::NotPresent, IsTest::Empty, IsTest::NotEmpty];
        let left = self.expression(depth);
        if self.coin() {
            let test = self.pick(&tests);
            return ExpressionKind::Is(left, self.at(test));
        }
        let operator = self.pick(&operators);
        ExpressionKind::Binary { left, operator: self.at(operator), right: self.expression(depth) }
    }

    fn call_or_list(&mut self, depth: usize) -> ExpressionKind {
        if self.coin() {
            return ExpressionKind::List(self.some(0, |g| g.expression(depth)));
        }
        // `initially (a)` is no call.
        let name = Some(self.name(OPERANDS)).filter(|name| name.node != "initially");
        ExpressionKind::Call(name.unwrap_or(self.at("f".to_owned())), self.some(0, |g| g.expression(depth)))
    }

    fn compound(&mut self, depth: usize) -> ExpressionKind {
        let words = [SetOperator::Intersect, SetOperator::Union, SetOperator::Except];
        match self.roll(8) {
            0 => ExpressionKind::Not(self.expression(depth)),
            1 => ExpressionKind::And(self.some(2, |g| g.expression(depth))),
            2 => ExpressionKind::Or(self.some(2, |g| g.expression(depth))),
            3 => ExpressionKind::Implies(self.expression(depth), self.expression(depth)),
            4 => ExpressionKind::Fallback(self.some(2, |g| g.expression(depth))),
            5 => {
                let first = self.expression(depth);
                let rest = self.some(1, |g| {
                    let word = g.pick(&words);
                    (g.at(word), g.expression(depth))
                });
                ExpressionKind::Sets { first, rest }
            }
            6 => ExpressionKind::Initially(self.expression(depth)),
            _ => {
                let within = WindowTest::Within(self.pick(DURATIONS));
                let test = self.pick(&[within, WindowTest::ThisLogin]);
                ExpressionKind::Window(self.expression(depth), self.at(test))
            }
        }
    }

    fn test(&mut self) -> Test {
        let table = self.maybe(|g| {
            let columns = g.some(1, |g| g.name(ANY_NAMES));
            let rows = g.some(1, |g| {
                let values = columns.iter().map(|_| g.given_value(2)).collect();
                g.at(values)
            });
            TestTable { columns, rows }
        });
        let clauses = self.some(0, |g| TestClause { span: g.span, kind: g.clause() });
        Test { name: self.text(), table, clauses }
    }

    fn clause(&mut self) -> TestClauseKind {
        match self.roll(4) {
            0 => TestClauseKind::Given(self.some(1, |g| (g.name(ANY_NAMES), g.given_value(2)))),
            1 => TestClauseKind::Choose(self.some(1, |g| g.name(FACTORS))),
            2 => TestClauseKind::Abandon,
            _ => TestClauseKind::Expect(self.expectation()),
        }
    }

    fn expectation(&mut self) -> Expectation {
        match self.roll(7) {
            0 => Expectation::Nothing,
            1 => Expectation::Commands(self.some(1, Self::command)),
            2 => Expectation::Prompt(self.command()),
            3 => {
                let event = self.name(&["w", "mfar"]);
                Expectation::Log { event, factor: self.maybe(|g| g.name(FACTORS)) }
            }
            4 => Expectation::Denied(self.text()),
            5 => Expectation::Completes,
            _ => Expectation::Fails,
        }
    }

    fn given_value(&mut self, depth: usize) -> GivenValue {
        let kind = match self.roll(if depth == 0 { 2 } else { 4 }) {
            0 => GivenKind::Name(self.pick(OPERANDS).to_owned()),
            1 => GivenKind::Literal(self.literal_value()),
            2 => GivenKind::Absent,
            _ => GivenKind::List(self.some(0, |g| GivenElement {
                value: g.given_value(0),
                ago: g.maybe(|g| {
                    let ago = g.pick(DURATIONS);
                    g.at(ago)
                }),
            })),
        };
        GivenValue { span: self.span, kind }
    }
}

/// The id of the first file.
pub(crate) fn only_file() -> FileId {
    Sources::new().add("p.stepup", "")
}
