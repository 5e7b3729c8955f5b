//! Where the source asks for a cargo feature.

use proc_macro2::TokenStream;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ExprArray, File, ItemConst, ItemMod, Macro};

/// Lines that ask for a feature and are no seam: a module, a file as a whole, a constant, or a row of a constant table.
pub fn amid(text: &str) -> Vec<usize> {
    let file = syn::parse_file(text).unwrap();
    let mut places = Places::default();
    places.visit_file(&file);
    places.amid
}

#[derive(Default)]
struct Places {
    amid: Vec<usize>,
    /// How many constants we are in.
    constants: usize,
}

fn asks(tokens: &TokenStream) -> bool {
    tokens.to_string().contains("feature =")
}

impl Places {
    /// Visits all attributes of something but those that may ask.
    fn pass(&mut self, attributes: &[Attribute], visit: impl FnOnce(&mut Self)) {
        let before = self.amid.len();
        visit(self);
        let lines: Vec<usize> = attributes.iter().map(line).collect();
        let mut place = 0;
        self.amid.retain(|line| {
            place += 1;
            place <= before || !lines.contains(line)
        });
    }
}

fn line(attribute: &Attribute) -> usize {
    attribute.span().start().line
}

impl<'ast> Visit<'ast> for Places {
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute
            .meta
            .require_list()
            .is_ok_and(|list| asks(&list.tokens))
        {
            self.amid.push(line(attribute));
        }
    }

    fn visit_file(&mut self, file: &'ast File) {
        self.pass(&file.attrs, |places| visit::visit_file(places, file));
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.pass(&item.attrs, |places| visit::visit_item_mod(places, item));
    }

    fn visit_item_const(&mut self, item: &'ast ItemConst) {
        self.constants += 1;
        self.pass(&item.attrs, |places| {
            visit::visit_item_const(places, item);
        });
        self.constants -= 1;
    }

    fn visit_expr_array(&mut self, array: &'ast ExprArray) {
        let mut rows = Rows::default();
        array.elems.iter().for_each(|row| rows.visit_expr(row));
        let before = self.amid.len();
        visit::visit_expr_array(self, array);
        if self.constants > 0 {
            let rows = rows.0;
            let found = self.amid.split_off(before);
            self.amid
                .extend(found.into_iter().filter(|line| !rows.contains(line)));
        }
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        if self.constants == 0 && called.path.is_ident("cfg") && asks(&called.tokens) {
            self.amid.push(called.span().start().line);
        }
    }
}

/// Lines of the attributes of rows.
#[derive(Default)]
struct Rows(Vec<usize>);

impl<'ast> Visit<'ast> for Rows {
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        self.0.push(line(attribute));
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
