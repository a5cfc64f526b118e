//! One Rust file as far as the ledger cares: its items, which of them are tests, and the name of
//! the item that a place in the text belongs to.

use proc_macro2::{Delimiter, LineColumn, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A line (from 1) and a column (from 0, in characters), as the parser counts.
pub(crate) type Position = (usize, usize);

/// The items of a file.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    items: Vec<Item>,
    /// Files that a `mod name;` with `#[cfg(test)]` includes.
    pub(crate) test_modules: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    name: String,
    start: Position,
    end: Position,
    kind: Kind,
}

/// What an item is to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A function with `#[test]`.
    Test,
    /// Any other item among tests.
    Helper,
    /// Code, or a part of it.
    Code,
}

/// What a place in a file belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// `Connection::emit`; empty for the docs of the file itself.
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

impl Outline {
    /// Reads a file.
    pub(crate) fn parse(text: &str) -> syn::Result<Self> {
        let file = syn::parse_file(text)?;
        let mut outliner = Outliner::default();
        outliner.visit_file(&file);
        Ok(outliner.outline)
    }

    /// The innermost item around a place. What stands in no item, or between the items of an
    /// `impl` or a module, belongs to the next one: that is what a plain comment explains. The
    /// docs of a file belong to the file.
    pub(crate) fn owner(&self, at: Position, is_file_doc: bool) -> Owner {
        if is_file_doc {
            return self.file();
        }
        let around = self
            .items
            .iter()
            .filter(|item| item.start <= at && at < item.end)
            .max_by_key(|item| item.start);
        let next = self
            .items
            .iter()
            .filter(|item| item.start > at && around.is_none_or(|outer| item.start < outer.end))
            .min_by_key(|item| item.start);
        let found = match (around, next) {
            (Some(outer), Some(next)) if outer.is_container() => next,
            (Some(outer), _) => outer,
            (None, Some(next)) => next,
            (None, None) => return self.file(),
        };
        Owner {
            name: found.name.clone(),
            kind: found.kind,
        }
    }

    fn file(&self) -> Owner {
        Owner {
            name: String::new(),
            kind: Kind::Code,
        }
    }
}

impl Item {
    /// Whether it is there for the sake of the items in it. Such an item is recorded with an empty
    /// last segment.
    fn is_container(&self) -> bool {
        self.name.ends_with(CONTAINER)
    }
}

const CONTAINER: &str = "::";

#[derive(Default)]
struct Outliner {
    outline: Outline,
    /// The types and modules around, outermost first.
    path: Vec<String>,
    /// How many modules with `#[cfg(test)]` are around.
    test_depth: u32,
}

impl Outliner {
    fn name(&self, last: &str) -> String {
        let mut path = self.path.clone();
        path.push(last.to_owned());
        path.join("::")
    }

    fn add(&mut self, name: String, node: &impl Spanned, is_test: bool) {
        let span = node.span();
        let kind = match (is_test, self.test_depth) {
            (true, _) => Kind::Test,
            (false, 0) => Kind::Code,
            (false, _) => Kind::Helper,
        };
        let (start, end) = (position(span.start()), position(span.end()));
        self.outline.items.push(Item {
            name,
            start,
            end,
            kind,
        });
    }

    fn container(&mut self, name: String, node: &impl Spanned) {
        self.add(name + CONTAINER, node, false);
    }

    /// The functions in the braces of `proptest!`, whose parameters are no Rust.
    fn functions_of_macro(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut attributes: Option<usize> = None;
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    attributes.get_or_insert(at);
                }
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let first = attributes.take().unwrap_or(at);
                    self.function_of_macro(&tokens[first..=at]);
                }
                _ => {}
            }
        }
    }

    fn function_of_macro(&mut self, tokens: &[TokenTree]) {
        let is = |token: &TokenTree, word| matches!(token, TokenTree::Ident(it) if it == word);
        let Some(name) = tokens.iter().position(|token| is(token, "fn")) else {
            return;
        };
        let (Some(TokenTree::Ident(name)), Some(last)) = (tokens.get(name + 1), tokens.last())
        else {
            return;
        };
        let test = tokens.iter().any(|token| match token {
            TokenTree::Group(group) => {
                group.stream().into_iter().count() == 1
                    && group.stream().into_iter().any(|word| is(&word, "test"))
            }
            _ => false,
        });
        let kind = match (test, self.test_depth) {
            (true, _) => Kind::Test,
            (false, 0) => Kind::Code,
            (false, _) => Kind::Helper,
        };
        self.outline.items.push(Item {
            name: self.name(&name.to_string()),
            start: position(tokens[0].span().start()),
            end: position(last.span().end()),
            kind,
        });
    }
}

impl<'ast> Visit<'ast> for Outliner {
    fn visit_item_fn(&mut self, node: &'ast syn::ItemFn) {
        let name = self.name(&node.sig.ident.to_string());
        self.add(name, node, is_test(&node.attrs));
        // What is in a function belongs to the function.
    }

    fn visit_item_mod(&mut self, node: &'ast syn::ItemMod) {
        let test = is_cfg_test(&node.attrs);
        if node.content.is_none() {
            if test {
                self.outline.test_modules.push(node.ident.to_string());
            }
            return;
        }
        self.test_depth += u32::from(test);
        let name = self.name(&node.ident.to_string());
        self.container(name, node);
        // A module of tests adds nothing to the name of a test in it.
        if test {
            visit::visit_item_mod(self, node);
        } else {
            self.path.push(node.ident.to_string());
            visit::visit_item_mod(self, node);
            self.path.pop();
        }
        self.test_depth -= u32::from(test);
    }

    fn visit_item_impl(&mut self, node: &'ast syn::ItemImpl) {
        let name = type_name(&node.self_ty);
        self.container(self.name(&name), node);
        self.path.push(name);
        visit::visit_item_impl(self, node);
        self.path.pop();
    }

    fn visit_impl_item_fn(&mut self, node: &'ast syn::ImplItemFn) {
        let name = self.name(&node.sig.ident.to_string());
        self.add(name, node, false);
    }

    fn visit_impl_item_const(&mut self, node: &'ast syn::ImplItemConst) {
        let name = self.name(&node.ident.to_string());
        self.add(name, node, false);
    }

    fn visit_item_trait(&mut self, node: &'ast syn::ItemTrait) {
        let name = node.ident.to_string();
        self.add(self.name(&name), node, false);
        self.path.push(name);
        visit::visit_item_trait(self, node);
        self.path.pop();
    }

    fn visit_trait_item_fn(&mut self, node: &'ast syn::TraitItemFn) {
        let name = self.name(&node.sig.ident.to_string());
        self.add(name, node, false);
    }

    fn visit_item_struct(&mut self, node: &'ast syn::ItemStruct) {
        let name = node.ident.to_string();
        self.add(self.name(&name), node, false);
        self.path.push(name);
        visit::visit_item_struct(self, node);
        self.path.pop();
    }

    fn visit_field(&mut self, node: &'ast syn::Field) {
        if let Some(ident) = &node.ident {
            let name = self.name(&ident.to_string());
            self.add(name, node, false);
        }
    }

    fn visit_item_enum(&mut self, node: &'ast syn::ItemEnum) {
        let name = node.ident.to_string();
        self.add(self.name(&name), node, false);
        self.path.push(name);
        visit::visit_item_enum(self, node);
        self.path.pop();
    }

    fn visit_variant(&mut self, node: &'ast syn::Variant) {
        let name = self.name(&node.ident.to_string());
        self.add(name, node, false);
    }

    fn visit_item_const(&mut self, node: &'ast syn::ItemConst) {
        let name = self.name(&node.ident.to_string());
        self.add(name, node, false);
    }

    fn visit_item_static(&mut self, node: &'ast syn::ItemStatic) {
        let name = self.name(&node.ident.to_string());
        self.add(name, node, false);
    }

    fn visit_item_type(&mut self, node: &'ast syn::ItemType) {
        let name = self.name(&node.ident.to_string());
        self.add(name, node, false);
    }

    fn visit_item_macro(&mut self, node: &'ast syn::ItemMacro) {
        let name = node.mac.path.segments.last();
        let name = name.map(|segment| segment.ident.to_string());
        let before = self.outline.items.len();
        if name.as_deref() == Some("proptest") {
            self.functions_of_macro(node.mac.tokens.clone());
        }
        if self.outline.items.len() == before {
            let own = node.ident.as_ref().map(ToString::to_string);
            let name = self.name(&own.or(name).unwrap_or_default());
            self.add(name, node, false);
        }
    }
}

fn position(at: LineColumn) -> Position {
    (at.line, at.column)
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("test"))
}

fn is_cfg_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let list = attribute.meta.require_list();
        attribute.path().is_ident("cfg") && list.is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

fn type_name(ty: &syn::Type) -> String {
    match ty {
        syn::Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
    .map_or_else(|| "impl".to_owned(), |segment| segment.ident.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Kind, Outline};

    const SOURCE: &str = "\
//! Docs of the file.
/// A doc.
pub fn one() {
    // inside
}
impl Thing {
    // before two
    fn two(&self) {}
}
struct Wide {
    /// A field.
    field: u8,
}
#[cfg(test)]
mod tests {
    fn helper() {}
    /// It claims.
    #[test]
    fn claims() {
        helper();
    }
}
#[cfg(test)]
mod apart;
proptest! {
    #![proptest_config(config())]

    /// For all.
    #[test]
    fn holds(x in 0..3) {
        assert!(x < 3);
    }
}
";

    fn owner(line: usize) -> (String, Kind) {
        let outline = Outline::parse(SOURCE).expect("Rust");
        let owner = outline.owner((line, 6), line == 1);
        (owner.name, owner.kind)
    }

    #[test]
    fn every_place_belongs_to_the_item_around_it_or_to_the_next() {
        for (line, name, kind) in [
            (1, "", Kind::Code),
            (2, "one", Kind::Code),
            (4, "one", Kind::Code),
            (7, "Thing::two", Kind::Code),
            (8, "Thing::two", Kind::Code),
            (11, "Wide::field", Kind::Code),
            (16, "helper", Kind::Helper),
            (17, "claims", Kind::Test),
            (20, "claims", Kind::Test),
            (28, "holds", Kind::Test),
            (31, "holds", Kind::Test),
        ] {
            assert_eq!(owner(line), (name.to_owned(), kind), "line {line}");
        }
    }

    #[test]
    fn files_with_tests_only_are_known() {
        let outline = Outline::parse(SOURCE).expect("Rust");
        assert_eq!(outline.test_modules, ["apart"]);
    }
}
