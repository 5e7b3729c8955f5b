//! The source of a crate as its rules need it: what is shipped of each file, the paths that are named in it, its functions and
//! its items. What a `#[cfg(test)]` stands before is left out, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use proc_macro2::{Delimiter, LineColumn, Span, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Block, Expr, Field, Ident, ImplItem, ImplItemFn, Item, ItemFn, ItemMod, Lit, Local,
    Meta, MetaNameValue, Signature, Token, TraitItem, TraitItemFn,
};

/// A file of which something is shipped.
pub struct File {
    /// Relative to `src`, without `.rs`.
    pub name: String,
    /// Lines, without those of tests.
    pub lines: usize,
    pub names: Vec<Name>,
    pub functions: Vec<Function>,
    /// The constants and functions on its first level.
    pub items: Vec<(String, Range<LineColumn>)>,
}

/// A path that is named: in an import, a type, an expression, or among the tokens of a macro.
pub struct Name {
    /// As it is written, but that an import of several is each of them. `*` is all of them.
    pub path: Vec<String>,
    /// From the root of the crate, if it is within.
    pub own: Option<Vec<String>>,
    pub at: LineColumn,
    /// A macro is called.
    pub is_called: bool,
}

pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// A crate.
pub struct Tree {
    pub files: Vec<File>,
    /// Files that no module is made of, and modules that have no file where it should be.
    pub lost: Vec<String>,
}

impl Tree {
    /// Reads the crate of these files, by their names: what `lib` and `main` are made of.
    pub fn read(texts: &BTreeMap<String, String>) -> Tree {
        let mut tree = Tree {
            files: Vec::new(),
            lost: Vec::new(),
        };
        let mut reached = BTreeSet::new();
        for root in ["lib", "main"] {
            if texts.contains_key(root) {
                tree.follow(texts, root, &[], false, &mut reached);
            }
        }
        let unreached = texts.keys().filter(|name| !reached.contains(*name));
        let unreached = unreached.map(|name| format!("src/{name}.rs is of no module"));
        tree.lost.extend(unreached);
        tree
    }

    fn follow(
        &mut self,
        texts: &BTreeMap<String, String>,
        name: &str,
        module: &[String],
        is_test: bool,
        reached: &mut BTreeSet<String>,
    ) {
        reached.insert(name.to_string());
        let text = &texts[name];
        let syntax = syn::parse_file(text).unwrap_or_else(|error| panic!("src/{name}.rs: {error}"));
        let mut outline = Outline {
            is_test: is_test || leaves_out(&syntax.attrs),
            ..Outline::default()
        };
        outline.visit_file(&syntax);
        let folder = match name.strip_suffix("mod") {
            _ if module.is_empty() => String::new(),
            Some(folder) => folder.to_string(),
            None => format!("{name}/"),
        };
        for child in &outline.children {
            let file = format!("{folder}{}", child.path.join("/"));
            let of_folder = format!("{file}/mod");
            let is_file = texts.contains_key(&file);
            if child.is_elsewhere || !is_file && !texts.contains_key(&of_folder) {
                self.lost.push(format!("src/{name}.rs: where is {file}?"));
                continue;
            }
            let file = if is_file { file } else { of_folder };
            let module = [module, &child.path].concat();
            self.follow(texts, &file, &module, child.is_test, reached);
            if let Some(stand_in) = &child.stand_in {
                // Relative to the folder of this file.
                let file = match name.rsplit_once('/') {
                    Some((folder, _)) => format!("{folder}/{stand_in}"),
                    None => stand_in.clone(),
                };
                if texts.contains_key(&file) {
                    self.follow(texts, &file, &module, child.is_test, reached);
                } else {
                    self.lost.push(format!("src/{name}.rs: where is {file}?"));
                }
            }
        }
        if outline.is_test {
            return;
        }
        let tests = outline.tests.iter();
        let test_lines: BTreeSet<usize> = tests
            .flat_map(|test| test.start.line..=test.end.line)
            .collect();
        let mut walk = Walk {
            module: module.to_vec(),
            tests: &outline.tests,
            names: Vec::new(),
        };
        walk.stream(text.parse().unwrap(), &[]);
        self.files.push(File {
            name: name.to_string(),
            lines: text.lines().count() - test_lines.len(),
            names: walk.names,
            functions: outline.functions,
            items: outline.items,
        });
    }
}

/// A module in a file of its own.
struct Child {
    /// From the module of this file: more than its name if it stands in an inline one.
    path: Vec<String>,
    is_test: bool,
    /// A `#[path]` says where its file is.
    is_elsewhere: bool,
    /// What it is made of without a feature, as a `#[cfg_attr(…, path = "….rs")]` says, without `.rs`.
    stand_in: Option<String>,
}

/// What a file is made of.
#[derive(Default)]
struct Outline {
    is_test: bool,
    /// The inline modules that we are in.
    inline: Vec<String>,
    /// What only tests see.
    tests: Vec<Range<LineColumn>>,
    children: Vec<Child>,
    functions: Vec<Function>,
    items: Vec<(String, Range<LineColumn>)>,
    depth: usize,
}

impl Outline {
    /// Visits what has these attributes. What only tests see is visited for the files that it names.
    fn enter(&mut self, attributes: &[Attribute], span: Span, visit: impl FnOnce(&mut Self)) {
        let was_test = self.is_test;
        if leaves_out(attributes) && !was_test {
            self.tests.push(range(span));
            self.is_test = true;
        }
        self.depth += 1;
        visit(self);
        self.depth -= 1;
        self.is_test = was_test;
    }

    fn function(&mut self, signature: &Signature, block: &Block) {
        if !self.is_test {
            let line = signature.fn_token.span.start().line;
            self.functions.push(Function {
                name: signature.ident.to_string(),
                line,
                lines: block.brace_token.span.close().end().line - line + 1,
            });
        }
    }
}

impl<'ast> Visit<'ast> for Outline {
    fn visit_item(&mut self, item: &'ast Item) {
        let name = match item {
            Item::Const(item) => Some(&item.ident),
            Item::Fn(item) => Some(&item.sig.ident),
            _ => None,
        };
        self.enter(attributes_of(item), item.span(), |outline| {
            if let Some(name) = name
                && outline.depth == 1
                && !outline.is_test
            {
                outline.items.push((name.to_string(), range(item.span())));
            }
            visit::visit_item(outline, item);
        });
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.inline.push(module.ident.to_string());
        if module.content.is_none() {
            let stand_in = module.attrs.iter().find_map(stand_in);
            let mut attributes = module.attrs.iter();
            self.children.push(Child {
                path: self.inline.clone(),
                is_test: self.is_test,
                is_elsewhere: attributes.any(|attribute| attribute.path().is_ident("path")),
                stand_in,
            });
        }
        visit::visit_item_mod(self, module);
        self.inline.pop();
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            _ => &Vec::new(),
        };
        self.enter(attributes, item.span(), |outline| {
            visit::visit_impl_item(outline, item);
        });
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        let attributes = match item {
            TraitItem::Const(item) => &item.attrs,
            TraitItem::Fn(item) => &item.attrs,
            _ => &Vec::new(),
        };
        self.enter(attributes, item.span(), |outline| {
            visit::visit_trait_item(outline, item);
        });
    }

    fn visit_field(&mut self, field: &'ast Field) {
        self.enter(&field.attrs, field.span(), |outline| {
            visit::visit_field(outline, field);
        });
    }

    fn visit_local(&mut self, local: &'ast Local) {
        self.enter(&local.attrs, local.span(), |outline| {
            visit::visit_local(outline, local);
        });
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

fn range(span: Span) -> Range<LineColumn> {
    span.start()..span.end()
}

fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The path in a `#[cfg_attr(…, path = "….rs")]`, without `.rs`.
fn stand_in(attribute: &Attribute) -> Option<String> {
    if !attribute.path().is_ident("cfg_attr") {
        return None;
    }
    let of = Punctuated::<Meta, Token![,]>::parse_terminated;
    let of = attribute.parse_args_with(of).ok()?;
    of.iter().skip(1).find_map(|meta| match meta {
        Meta::NameValue(MetaNameValue {
            path,
            value: Expr::Lit(value),
            ..
        }) if path.is_ident("path") => match &value.lit {
            Lit::Str(path) => Some(path.value().strip_suffix(".rs")?.to_string()),
            _ => None,
        },
        _ => None,
    })
}

/// What has these attributes is compiled for tests only.
fn leaves_out(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.parse_args().is_ok_and(|meta| needs_test(&meta))
    })
}

/// A predicate of `cfg` is false without `test`.
fn needs_test(predicate: &Meta) -> bool {
    let Meta::List(list) = predicate else {
        return predicate.path().is_ident("test");
    };
    let of = Punctuated::<Meta, Token![,]>::parse_terminated;
    let of = list.parse_args_with(of).unwrap();
    if predicate.path().is_ident("all") {
        of.iter().any(needs_test)
    } else {
        predicate.path().is_ident("any") && of.iter().all(needs_test)
    }
}

/// Collects the paths among the tokens of a file.
struct Walk<'a> {
    module: Vec<String>,
    tests: &'a [Range<LineColumn>],
    names: Vec<Name>,
}

impl Walk<'_> {
    /// `prefix`: what stands before the braces of an import.
    fn stream(&mut self, stream: TokenStream, prefix: &[String]) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Group(group) => self.stream(group.stream(), &[]),
                TokenTree::Ident(ident) if ident == "as" && !prefix.is_empty() => at += 1,
                TokenTree::Ident(ident) if ident == "mod" => {
                    if let [TokenTree::Ident(name), TokenTree::Group(body), ..] = &tokens[at..] {
                        self.module.push(name.to_string());
                        self.stream(body.stream(), &[]);
                        self.module.pop();
                        at += 2;
                    }
                }
                TokenTree::Ident(ident) => {
                    let path = [prefix, &[ident.to_string()]].concat();
                    at += self.path(path, ident.span().start(), &tokens[at..]);
                }
                _ => {}
            }
        }
    }

    /// A path that begins so, and goes on in these tokens: how many of them are its own.
    fn path(&mut self, mut path: Vec<String>, at: LineColumn, tokens: &[TokenTree]) -> usize {
        let mut taken = 0;
        // Before `::std` a keyword may stand, which is no part of the path.
        let may_go_on = path.len() > 1 || !is_keyword(&path[0]);
        while may_go_on
            && let [first, second, next, ..] = &tokens[taken..]
            && is_punct(first, ':')
            && is_punct(second, ':')
        {
            match next {
                TokenTree::Ident(ident) => path.push(ident.to_string()),
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    self.stream(group.stream(), &path);
                    return taken + 3;
                }
                star if is_punct(star, '*') => path.push("*".to_string()),
                _ => break,
            }
            taken += 3;
        }
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        if !self.tests.iter().any(|test| test.contains(&at)) {
            let following = &tokens[taken..];
            self.names.push(Name {
                own: self.own(&path),
                path,
                at,
                is_called: matches!(following, [bang, TokenTree::Group(_), ..] if is_punct(bang, '!')),
            });
        }
        taken
    }

    fn own(&self, path: &[String]) -> Option<Vec<String>> {
        let mut module = self.module.clone();
        let mut rest = path.iter().peekable();
        match rest.peek()?.as_str() {
            "crate" | "kinglet" => module.clear(),
            "self" | "super" => {}
            _ if module.is_empty() && path.len() > 1 => return Some(path.to_vec()),
            _ => return None,
        }
        if ["crate", "kinglet", "self"].contains(&rest.peek()?.as_str()) {
            rest.next();
        }
        while rest.next_if(|word| *word == "super").is_some() {
            module.pop();
        }
        module.extend(rest.cloned());
        Some(module)
    }
}

fn is_punct(token: &TokenTree, punct: char) -> bool {
    matches!(token, TokenTree::Punct(found) if found.as_char() == punct)
}

/// It does not begin a path.
fn is_keyword(word: &str) -> bool {
    !["crate", "self", "Self", "super"].contains(&word) && syn::parse_str::<Ident>(word).is_err()
}
