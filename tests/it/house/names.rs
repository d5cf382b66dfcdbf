//! Types of the sources: no two have one name, and a pair that travels together has one.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use syn::{
    Attribute, FnArg, ImplItemFn, ItemEnum, ItemFn, ItemMod, ItemStruct, ItemTrait, ItemType, Meta,
    Signature, TraitItemFn, Type,
    visit::{self, Visit},
};

use super::layering::rust_files;

/// The most parameters of a function, `self` included.
const MOST_PARAMETERS: usize = 4;

/// The types and functions of one file, but for its tests.
#[derive(Default)]
struct Items {
    types: Vec<String>,
    functions: Vec<Function>,
}

struct Function {
    name: String,
    parameters: usize,
    takes_tuple: bool,
}

impl Function {
    fn of(signature: &Signature) -> Self {
        let is_tuple = |input: &FnArg| matches!(input, FnArg::Typed(typed) if is_tuple(&typed.ty));
        Self {
            name: signature.ident.to_string(),
            parameters: signature.inputs.len(),
            takes_tuple: signature.inputs.iter().any(is_tuple),
        }
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    })
}

impl<'a> Visit<'a> for Items {
    fn visit_item_mod(&mut self, module: &'a ItemMod) {
        if !is_for_tests(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'a ItemFn) {
        if !is_for_tests(&function.attrs) {
            self.functions.push(Function::of(&function.sig));
            visit::visit_item_fn(self, function);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'a ImplItemFn) {
        if !is_for_tests(&function.attrs) {
            self.functions.push(Function::of(&function.sig));
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_trait_item_fn(&mut self, function: &'a TraitItemFn) {
        self.functions.push(Function::of(&function.sig));
        visit::visit_trait_item_fn(self, function);
    }

    fn visit_item_struct(&mut self, item: &'a ItemStruct) {
        self.types.push(item.ident.to_string());
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'a ItemEnum) {
        self.types.push(item.ident.to_string());
        visit::visit_item_enum(self, item);
    }

    fn visit_item_trait(&mut self, item: &'a ItemTrait) {
        self.types.push(item.ident.to_string());
        visit::visit_item_trait(self, item);
    }

    fn visit_item_type(&mut self, item: &'a ItemType) {
        self.types.push(item.ident.to_string());
    }
}

fn items(text: &str) -> Items {
    let mut items = Items::default();
    items.visit_file(&syn::parse_file(text).unwrap());
    items
}

fn items_of_files() -> Vec<(PathBuf, Items)> {
    let files = rust_files(Path::new("src"));
    assert!(files.len() > 200, "the sources are not where they were");
    files.into_iter().map(|file| (file.clone(), items(&fs::read_to_string(file).unwrap()))).collect()
}

/// Whether a parameter is a tuple, or a reference to one.
fn is_tuple(parameter: &Type) -> bool {
    match parameter {
        Type::Tuple(tuple) => !tuple.elems.is_empty(),
        Type::Reference(reference) => is_tuple(&reference.elem),
        Type::Paren(paren) => is_tuple(&paren.elem),
        _ => false,
    }
}

#[test]
fn no_two_types_have_one_name() {
    let mut files: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for (file, items) in items_of_files() {
        for name in items.types {
            files.entry(name).or_default().push(file.clone());
        }
    }
    files.retain(|_, files| files.len() > 1);
    assert!(files.is_empty(), "a name says one thing over the whole crate: {files:#?}");
}

#[test]
fn what_travels_together_is_a_type_and_no_tuple() {
    for (file, items) in items_of_files() {
        for function in items.functions {
            let (file, Function { name, parameters, takes_tuple }) = (file.display(), function);
            assert!(!takes_tuple, "{file}: `{name}` takes a tuple; make it a type with a name");
            assert!(
                parameters <= MOST_PARAMETERS,
                "{file}: `{name}` has {parameters} parameters; {MOST_PARAMETERS} are the most"
            );
        }
    }
}

#[test]
fn tuples_are_found_wherever_a_function_stands() {
    for bad in [
        "fn f(a: (u8, u8)) {}",
        "fn f(a: &mut (u8, u8)) {}",
        "impl S { fn f(&self, (a, b): (u8, &str)) {} }",
        "trait T { fn f(&self, a: &(u8, u8)); }",
        "mod m { async fn f(a: u8, b: ((u8, u8))) {} }",
        "fn outer() { fn f(a: (u8, u8)) {} }",
    ] {
        assert!(items(bad).functions.iter().any(|function| function.takes_tuple), "{bad}");
    }
    for good in [
        "fn f(a: (), b: Vec<(u8, u8)>) -> (u8, u8) { g(|(a, b)| a) }",
        "#[cfg(test)] mod t { fn f(a: (u8, u8)) {} }",
    ] {
        assert!(!items(good).functions.iter().any(|function| function.takes_tuple), "{good}");
    }
}
