package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The order of a map is another one each time: where a loop over one returns what
// it finds, prints it, or appends to a list that nobody sorts afterwards, the same
// input gives other messages, or other bytes.
func TestMapsAreReadInOrder(t *testing.T) {
	loops := 0
	for _, p := range typedPackages(t, "../../...") {
		n, faults := mapOrder(p)
		loops += n
		for _, f := range faults {
			t.Error(f)
		}
	}
	if loops < 50 {
		t.Errorf("only %d loops over maps were seen", loops)
	}
}

// Each function that is named bad is at fault, and no other.
func TestMapOrder(t *testing.T) {
	const source = `package p
import ("errors"; "fmt"; "io"; "maps"; "slices"; "sort"; "strings")
type list []string
func (l *list) Add(s string) { *l = append(*l, s) }
func badReturn(m map[string]error) error { for _, err := range m { if err != nil { return err } }; return nil }
func badNew(m map[string]bool) error { for k, v := range m { if !v { return errors.New(k) } }; return nil }
func badPrint(w io.Writer, m map[string]int) { for k := range m { fmt.Fprintln(w, k) } }
func badBuild(m map[string]int) string { var b strings.Builder; for k := range m { b.WriteString(k) }; return b.String() }
func badText(m map[string]int) (s string) { for k := range m { s += k }; return }
func badAppend(m map[string]int) (l []string) { for k := range m { l = append(l, k) }; return }
func badSortBefore(m map[string]int) (l []string) { slices.Sort(l); for k := range m { l = append(l, k) }; return }
func badOther(m map[string]int) (l, o []string) { for k := range m { l = append(l, k) }; slices.Sort(o); return }
func badKeys(m map[string]int) (l []string) { for k := range maps.Keys(m) { l = append(l, k) }; return }
func badField(m map[string]int) []string { var s struct{ l []string }; for k := range m { s.l = append(s.l, k) }; return s.l }
func badCollect(m map[string]int) []string { return slices.Collect(maps.Keys(m)) }
func badSeq(m map[string]int) []string { return slices.AppendSeq([]string{}, maps.Keys(m)) }
func badAdd(m map[string]int) (l list) { for k := range m { l.Add(k) }; return }
func badNested(m map[string][]string) (l []string) { for _, v := range m { for _, s := range v { l = append(l, s) } }; return }
func badInside(m map[string]int) (l []string) { func() { for k := range m { l = append(l, k) } }(); return }
func sortedAfter(m map[string]int) (l []string) { for k := range m { l = append(l, k) }; slices.Sort(l); return }
func sortedBy(m map[string]int) (l []string) { for k := range m { l = append(l, k) }; sort.Slice(l, func(i, j int) bool { return l[i] < l[j] }); return }
func sortedField(m map[string]int) []string { var s struct{ l []string }; for k := range m { s.l = append(s.l, k) }; slices.SortFunc(s.l, strings.Compare); return s.l }
func sortedKeys(m map[string]int) (l []string) { for _, k := range slices.Sorted(maps.Keys(m)) { l = append(l, k) }; return }
func sortedAdd(m map[string]int) (l list) { for k := range m { l.Add(k) }; slices.Sort(l); return }
func any(m map[string]bool) bool { for _, v := range m { if v { return true } }; return false }
func same(m map[string]bool) error { for _, v := range m { if v { return io.EOF } }; return nil }
func perKey(m map[string]int, to map[string][]int) { for k, v := range m { to[k] = append(to[k], v) } }
func within(m map[string][]int) (n int) { for _, v := range m { var l []int; l = append(l, v...); n += len(l) }; return }
func slice(l []string) error { for _, s := range l { return errors.New(s) }; return nil }
`
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := &typedPackage{fset: fset, files: []*ast.File{file}, info: types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}}
	if _, err := (&types.Config{Importer: importer.Default()}).Check("p", fset, p.files, &p.info); err != nil {
		t.Fatal(err)
	}
	_, faults := mapOrder(p)
	all := strings.Join(faults, "\n")
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
			at := fmt.Sprintf("p.go:%d:", fset.Position(f.Pos()).Line)
			if bad := strings.Contains(all, at); bad != strings.HasPrefix(f.Name.Name, "bad") {
				t.Errorf("%s: at fault is %v\n%s", f.Name.Name, bad, all)
			}
		}
	}
}

type typedPackage struct {
	fset  *token.FileSet
	files []*ast.File
	info  types.Info
}

// typedPackages reads packages of this module, without their tests.
func typedPackages(t *testing.T, pattern string) []*typedPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,GoFiles,Export,Module", pattern)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	type listed struct {
		ImportPath, Dir, Export string
		GoFiles                 []string
		Module                  *struct{ Main bool }
	}
	export := map[string]string{}
	var ours []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var l listed
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		export[l.ImportPath] = l.Export
		if l.Module != nil && l.Module.Main {
			ours = append(ours, l)
		}
	}
	fset := token.NewFileSet()
	from := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(export[path]) })
	var list []*typedPackage
	for _, l := range ours {
		p := &typedPackage{fset: fset, info: types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}}
		for _, name := range l.GoFiles {
			file, err := parser.ParseFile(fset, filepath.Join(l.Dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			p.files = append(p.files, file)
		}
		if _, err := (&types.Config{Importer: from}).Check(l.ImportPath, fset, p.files, &p.info); err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

// mapOrder counts a package's loops over maps, and names what in them follows the
// order of the map.
func mapOrder(p *typedPackage) (loops int, faults []string) {
	for _, file := range p.files {
		var functions []*ast.BlockStmt
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case nil:
				return false
			case *ast.FuncDecl:
				functions = append(functions, n.Body)
			case *ast.CallExpr:
				if name := p.called(n); (name == "slices.Collect" || name == "slices.AppendSeq") && p.unordered(n.Args[len(n.Args)-1]) {
					faults = append(faults, p.fault(n, "collects"))
				}
			case *ast.RangeStmt:
				if p.unordered(n.X) {
					loops++
					faults = append(faults, p.loop(n, functions[len(functions)-1])...)
				}
			}
			return true
		})
	}
	slices.Sort(faults)
	return loops, slices.Compact(faults)
}

func (p *typedPackage) fault(n ast.Node, does string) string {
	return fmt.Sprintf("%s: it %s in the order of a map: sort the keys first (slices.Sorted(maps.Keys(m))), or the list afterwards", p.fset.Position(n.Pos()), does)
}

// unordered tells whether a range over an expression is one over a map.
func (p *typedPackage) unordered(x ast.Expr) bool {
	if call, ok := x.(*ast.CallExpr); ok {
		return slices.Contains([]string{"maps.Keys", "maps.Values", "maps.All"}, p.called(call))
	}
	_, is := p.info.TypeOf(x).Underlying().(*types.Map)
	return is
}

// called is the function of a call with its package's name, or the method's with
// a dot before it.
func (p *typedPackage) called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if id, ok := f.X.(*ast.Ident); ok {
			if name, ok := p.info.Uses[id].(*types.PkgName); ok {
				return name.Imported().Name() + "." + f.Sel.Name
			}
		}
		return "." + f.Sel.Name
	}
	return ""
}

// writing are the methods by which a list or a text grows.
var writing = []string{".Add", ".Write", ".WriteString", ".WriteByte", ".WriteRune", ".Encode", "io.WriteString"}

// loop gives the faults of a loop over a map in the body of a function.
func (p *typedPackage) loop(loop *ast.RangeStmt, function *ast.BlockStmt) []string {
	var faults []string
	grows := func(n ast.Node, list ast.Expr) {
		if list == nil || p.declaredIn(list, loop) || p.sortedAfter(list, loop, function) {
			return
		}
		// One element for each key: the order does not matter.
		if at, ok := list.(*ast.IndexExpr); ok && loop.Key != nil && types.ExprString(at.Index) == types.ExprString(loop.Key) {
			return
		}
		faults = append(faults, p.fault(n, "grows "+types.ExprString(list)))
	}
	ast.Inspect(loop.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false // what it returns is its own
		case *ast.ReturnStmt:
			if !slices.ContainsFunc(n.Results, func(x ast.Expr) bool { return !p.constant(x) }) {
				return true
			}
			faults = append(faults, p.fault(n, "returns"))
		case *ast.AssignStmt:
			if n.Tok == token.ADD_ASSIGN {
				if b, ok := p.info.TypeOf(n.Lhs[0]).Underlying().(*types.Basic); ok && b.Info()&types.IsString != 0 {
					grows(n, n.Lhs[0])
				}
			}
			for i, right := range n.Rhs {
				if call, ok := right.(*ast.CallExpr); ok && p.called(call) == "append" && i < len(n.Lhs) {
					grows(n, n.Lhs[i])
				}
			}
		case *ast.CallExpr:
			name := p.called(n)
			switch {
			case slices.Contains(writing, name) && name[0] == '.':
				grows(n, n.Fun.(*ast.SelectorExpr).X)
			case strings.HasPrefix(name, "fmt.Fprint"), name == "io.WriteString":
				grows(n, n.Args[0])
			case strings.HasPrefix(name, "fmt.Print"):
				faults = append(faults, p.fault(n, "prints"))
			}
		}
		return true
	})
	return faults
}

// constant tells whether an expression is the same for every key: nil, a
// constant, or a variable of a package.
func (p *typedPackage) constant(x ast.Expr) bool {
	tv := p.info.Types[x]
	if tv.IsNil() || tv.Value != nil {
		return true
	}
	var object types.Object
	switch x := x.(type) {
	case *ast.Ident:
		object = p.info.Uses[x]
	case *ast.SelectorExpr:
		object = p.info.Uses[x.Sel]
	}
	v, ok := object.(*types.Var)
	return ok && !v.IsField() && v.Pkg() != nil && v.Parent() == v.Pkg().Scope()
}

// declaredIn tells whether the variable at the root of an expression is the
// loop's own.
func (p *typedPackage) declaredIn(x ast.Expr, loop *ast.RangeStmt) bool {
	for {
		switch e := x.(type) {
		case *ast.SelectorExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.StarExpr:
			x = e.X
		case *ast.UnaryExpr:
			x = e.X
		case *ast.ParenExpr:
			x = e.X
		case *ast.Ident:
			object := p.info.ObjectOf(e)
			return object != nil && object.Pos() >= loop.Pos() && object.Pos() <= loop.End()
		default:
			return false
		}
	}
}

// sortedAfter tells whether a list is sorted in the function after the loop.
func (p *typedPackage) sortedAfter(list ast.Expr, loop *ast.RangeStmt, function *ast.BlockStmt) bool {
	found := false
	ast.Inspect(function, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || call.Pos() < loop.End() || len(call.Args) == 0 {
			return true
		}
		name := p.called(call)
		sorts := strings.HasPrefix(name, "slices.Sort") || strings.HasPrefix(name, "sort.")
		found = found || sorts && types.ExprString(call.Args[0]) == types.ExprString(list)
		return true
	})
	return found
}
