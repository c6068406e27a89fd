//! The tree as a reader sees it.
#![allow(clippy::unwrap_used, reason = "a test says so by failing")]

use super::*;
use crate::Compiler;
use crate::check::policy::MayBeMissing;

fn path(keys: &str) -> Vec<Segment> {
    let segment = |key: &str| Segment {
        key: key.trim_end_matches("[]").to_owned(),
        each: if key.ends_with("[]") { Each::Element } else { Each::Value },
        may_be_missing: MayBeMissing::No,
    };
    keys.split('.').map(segment).collect()
}

#[test]
fn each_key_leads_to_its_node_and_no_other_does() {
    let keys: Vec<String> =
        (0..300).map(|number| "k".repeat(1 + number % 40) + &number.to_string()).collect();
    let mut tree = PathTreeBuilder::default();
    for (number, key) in keys.iter().enumerate() {
        tree.add_value(&path(&format!("user.{key}")), number);
    }
    let tree = tree.finish();
    let user = tree.node(tree.node(PathTree::ROOT).key("user").unwrap());
    for (number, key) in keys.iter().enumerate() {
        let at = user.key(key).unwrap();
        assert_eq!(tree.text(at), format!("event.user.{key}"));
        assert!(tree.node(at).consumers().eq([Consumer::Variable(number)]));
        assert_eq!(user.key(&format!("{key}x")), None);
    }
    assert_eq!(user.key(""), None);
    assert_eq!(user.element(), None);
    assert_eq!(tree.node(PathTree::ROOT).key("users"), None);
}

#[test]
fn elements_and_what_they_must_have_stand_beside_keys() {
    let mut tree = PathTreeBuilder::default();
    tree.add_elements(&path("a.b[].c"), 0);
    tree.add_elements(&path("a.b[].dd"), 1);
    tree.add_value(&path("a.b.x"), 2);
    tree.add_enrolled();
    let tree = tree.finish();
    let b = tree.node(PathTree::ROOT).key("a").and_then(|a| tree.node(a).key("b")).unwrap();
    assert!(tree.node(b).consumers().eq([Consumer::Gathered(0), Consumer::Gathered(1)]));
    assert_eq!(tree.node(b).key("x").map(|x| tree.text(x)), Some("event.a.b.x".to_owned()));
    let element = tree.node(b).element().unwrap();
    let required: Vec<String> = tree.node(element).required().map(|key| tree.text(key)).collect();
    assert_eq!(required, ["event.a.b[].c", "event.a.b[].dd"]);
    assert_eq!(tree.node(b).required().count(), 0);
}

#[test]
fn the_tree_of_the_seed_s_policy_is_small() {
    let text = include_str!("../../../examples/admins.stepup");
    let policy = Compiler::new().compile([("admins.stepup", text)]).unwrap().policy;
    let tree = &policy.interface().layout.paths;
    assert_eq!(tree.len(), 13);
    let bytes = size_of_val(tree) + tree.heap_bytes();
    assert!(bytes <= 400, "{bytes} bytes");
}
