//! Where the source asks for a cargo feature.

use std::collections::BTreeSet;
use std::slice;

use proc_macro2::TokenStream;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ExprArray, File, ItemConst, ItemMod, Macro};

/// Lines that ask for a feature and are no seam: a module, a file as a whole, a constant, or a row of a constant table.
pub fn amid(text: &str) -> Vec<usize> {
    let file = syn::parse_file(text).unwrap();
    let mut places = Places::default();
    places.visit_file(&file);
    let Places { asking, seams, .. } = places;
    asking
        .into_iter()
        .filter(|line| !seams.contains(line))
        .collect()
}

#[derive(Default)]
struct Places {
    /// Lines of what asks for a feature.
    asking: Vec<usize>,
    /// Lines of attributes that may.
    seams: BTreeSet<usize>,
    /// How many constants we are in, and how many tables in these.
    constants: usize,
    tables: usize,
}

impl Places {
    fn note(&mut self, spanned: &impl Spanned, tokens: &TokenStream) {
        if tokens.to_string().contains("feature =") {
            self.asking.push(line(spanned));
        }
    }

    fn may_ask(&mut self, attributes: &[Attribute]) {
        self.seams.extend(attributes.iter().map(line));
    }
}

fn line(spanned: &impl Spanned) -> usize {
    spanned.span().start().line
}

impl<'ast> Visit<'ast> for Places {
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Ok(list) = attribute.meta.require_list() {
            self.note(attribute, &list.tokens);
        }
        if self.tables > 0 {
            self.may_ask(slice::from_ref(attribute));
        }
    }

    fn visit_file(&mut self, file: &'ast File) {
        self.may_ask(&file.attrs);
        visit::visit_file(self, file);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.may_ask(&item.attrs);
        visit::visit_item_mod(self, item);
    }

    fn visit_item_const(&mut self, item: &'ast ItemConst) {
        self.may_ask(&item.attrs);
        self.constants += 1;
        visit::visit_item_const(self, item);
        self.constants -= 1;
    }

    fn visit_expr_array(&mut self, array: &'ast ExprArray) {
        let is_table = usize::from(self.constants > 0);
        self.tables += is_table;
        visit::visit_expr_array(self, array);
        self.tables -= is_table;
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        if self.constants == 0 && called.path.is_ident("cfg") {
            self.note(called, &called.tokens);
        }
    }
}

#[test]
fn only_seams_may_ask_for_a_feature() {
    for (text, lines) in [
        ("#[cfg(feature = \"x\")]\nmod a;", vec![]),
        (
            "#[cfg_attr(not(feature = \"x\"), path = \"y.rs\")]\nmod a;",
            vec![],
        ),
        ("#![cfg_attr(feature = \"x\", allow(dead_code))]", vec![]),
        ("const A: bool = cfg!(feature = \"x\");", vec![]),
        (
            "const A: &[u8] = &[\n#[cfg(feature = \"x\")]\n1,\n2];",
            vec![],
        ),
        ("#[cfg(feature = \"x\")]\nconst A: u8 = 1;", vec![]),
        (
            "const A: u8 = {\n#[cfg(feature = \"x\")]\nlet a = 1;\n2 };",
            vec![2],
        ),
        ("#[cfg(feature = \"x\")]\nfn a() {}", vec![1]),
        ("#[cfg(feature = \"x\")]\nuse a::b;", vec![1]),
        ("fn a() {\n#[cfg(feature = \"x\")]\nb();\n}", vec![2]),
        ("fn a() {\n[\n#[cfg(feature = \"x\")]\n1];\n}", vec![3]),
        ("fn a() -> bool {\ncfg!(feature = \"x\")\n}", vec![2]),
        ("struct A {\n#[cfg(feature = \"x\")]\nb: u8 }", vec![2]),
        ("#[cfg(test)]\nfn a() {}", vec![]),
    ] {
        assert_eq!(amid(text), lines, "{text}");
    }
}
