//! No file imports a file that imports it, directly or by others.
//!
//! Read from the sources: what a `use`, or a path in code, names through re-exports is an import of the file that
//! defines it. Re-exports themselves are none, and neither are tests. A file of a folder may complete what the folder's
//! `mod.rs` defines: the two are one module.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{
    Attribute, UseTree, Visibility,
    visit::{self, Visit},
};

/// A module, by the names on the way to it.
type Module = Vec<String>;

/// A file's module, and the paths that it names.
struct Source {
    module: Module,
    file: PathBuf,
    imports: Vec<Vec<String>>,
}

/// Every file of the crate, and what its modules export again.
#[derive(Default)]
struct House {
    sources: Vec<Source>,
    files: BTreeMap<Module, PathBuf>,
    /// Where an exported name comes from.
    exports: BTreeMap<(Module, String), Vec<String>>,
}

impl House {
    fn read(folder: &Path) -> Self {
        let mut house = Self::default();
        house.add(folder, &Vec::new());
        house
    }

    fn add(&mut self, folder: &Path, module: &Module) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                self.add(&path, &[module.clone(), vec![stem]].concat());
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let own = ["mod", "lib", "main"].contains(&&*stem);
                let module = if own { module.clone() } else { [module.clone(), vec![stem]].concat() };
                self.add_file(path, module);
            }
        }
    }

    fn add_file(&mut self, file: PathBuf, module: Module) {
        let mut names = Names::default();
        names.visit_file(&syn::parse_file(&fs::read_to_string(&file).unwrap()).unwrap());
        for (name, path) in names.exports {
            self.exports.insert((module.clone(), name), path);
        }
        self.files.insert(module.clone(), file.clone());
        self.sources.push(Source { module, file, imports: names.imports });
    }

    /// The file that defines what `path` names, if it is one of ours.
    fn definition(&self, module: &Module, path: &[String]) -> Option<&PathBuf> {
        let mut at = module.clone();
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" => (at, rest) = (Vec::new(), &rest[1..]),
            "self" => rest = &rest[1..],
            "super" => {}
            first => {
                at.push(first.to_owned());
                if !self.files.contains_key(&at) {
                    return None;
                }
                rest = &rest[1..];
            }
        }
        while let Some((name, after)) = rest.split_first() {
            if name == "super" {
                at.pop();
            } else if let below = [at.clone(), vec![name.clone()]].concat()
                && self.files.contains_key(&below)
            {
                at = below;
            } else if let Some(path) = self.exports.get(&(at.clone(), name.clone())) {
                return self.definition(&at, path);
            } else {
                break;
            }
            rest = after;
        }
        self.files.get(&at)
    }

    /// The files that each file imports.
    fn imports(&self) -> BTreeMap<&Path, BTreeSet<&Path>> {
        let of = |source: &Source| {
            let files = source.imports.iter().filter_map(|path| self.definition(&source.module, path));
            let others = files
                .map(|file| &**file)
                .filter(|file| *file != source.file && !is_around(file, &source.file));
            others.collect()
        };
        self.sources.iter().map(|source| (&*source.file, of(source))).collect()
    }
}

/// Whether `file` is the `mod.rs` of a folder that holds `within`.
fn is_around(file: &Path, within: &Path) -> bool {
    file.ends_with("mod.rs") && within.starts_with(file.parent().unwrap())
}

/// The paths that a file names.
#[derive(Default)]
struct Names {
    imports: Vec<Vec<String>>,
    exports: Vec<(String, Vec<String>)>,
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    let test = |attribute: &Attribute| attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "test");
    attributes.iter().any(|attribute| attribute.path().is_ident("cfg") && test(attribute))
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_for_tests(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut paths = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut paths);
        if matches!(item.vis, Visibility::Inherited) {
            self.imports.extend(paths.into_iter().map(|(_, path)| path));
        } else {
            self.exports.extend(paths);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1 {
            self.imports.push(names);
        }
        visit::visit_path(self, path);
    }
}

/// Each name that `tree` brings in, with the path it comes from.
fn flatten(tree: &UseTree, path: &mut Vec<String>, into: &mut Vec<(String, Vec<String>)>) {
    let mut take = |name: String, item: String| {
        let whole = if item == "self" { path.clone() } else { [path.clone(), vec![item]].concat() };
        into.push((name, whole));
    };
    match tree {
        UseTree::Name(name) => take(name.ident.to_string(), name.ident.to_string()),
        UseTree::Rename(rename) => take(rename.rename.to_string(), rename.ident.to_string()),
        UseTree::Glob(_) => take("*".to_owned(), "*".to_owned()),
        UseTree::Path(below) => {
            path.push(below.ident.to_string());
            flatten(&below.tree, path, into);
            path.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, path, into)),
    }
}

/// The shortest way from `start` back to itself.
fn circle<'a>(imports: &BTreeMap<&'a Path, BTreeSet<&'a Path>>, start: &'a Path) -> Option<Vec<&'a Path>> {
    let mut ways = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for &next in &imports[way[way.len() - 1]] {
                if next == start {
                    return Some(way);
                }
                if seen.insert(next) {
                    longer.push([way.clone(), vec![next]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

#[test]
fn no_file_imports_what_imports_it() {
    let house = House::read(Path::new("src"));
    let imports = house.imports();
    assert!(imports.values().map(BTreeSet::len).sum::<usize>() > 300, "imports are not read");
    let mut found = BTreeSet::new();
    for file in imports.keys() {
        if let Some(mut circle) = circle(&imports, file) {
            circle.sort_unstable();
            found.insert(circle);
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
