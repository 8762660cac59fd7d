// Package input reads the files of a stack (JSON, Jsonnet, CUE) into one
// tree that knows where each value was written.
package input

import "github.com/plonec/plonec/internal/diag"

// Kind is the type of a Node.
type Kind uint8

const (
	Null Kind = iota
	Bool
	Number
	String
	List
	Map
)

func (k Kind) String() string {
	return [...]string{"null", "a truth value", "a number", "a string", "a list", "a map"}[k]
}

// A Node is one value of a stack. Nodes are never changed once they are read:
// Merge copies what it changes.
type Node struct {
	Kind   Kind
	Span   diag.Span // where the value stands
	Text   string    // Bool: true or false; Number: its literal; String: its text
	Items  []*Node   // List
	Fields []Field   // Map, in the order of the source, keys unique
	index  map[string]int
}

// A Field is a key of a map and its value.
type Field struct {
	Key   string
	Span  diag.Span // where the key stands
	Value *Node
}

// Get returns the value of a key of a map, nil where there is none or n is no map.
func (n *Node) Get(key string) *Node {
	if f := n.Field(key); f != nil {
		return f.Value
	}
	return nil
}

// Field returns a key of a map with its value, nil where there is none.
func (n *Node) Field(key string) *Field {
	if n == nil || n.Kind != Map {
		return nil
	}
	if n.index != nil {
		if i, ok := n.index[key]; ok {
			return &n.Fields[i]
		}
		return nil
	}
	for i := range n.Fields {
		if n.Fields[i].Key == key {
			return &n.Fields[i]
		}
	}
	return nil
}

// NewMap makes a map of fields, whose keys must be unique.
func NewMap(span diag.Span, fields []Field) *Node {
	n := &Node{Kind: Map, Span: span, Fields: fields}
	if len(fields) > indexFrom {
		n.index = indexOf(fields)
	}
	return n
}

// indexFrom is the number of fields up to which a map is searched one by one.
const indexFrom = 8

func indexOf(fields []Field) map[string]int {
	index := make(map[string]int, len(fields))
	for i := range fields {
		index[fields[i].Key] = i
	}
	return index
}

// Lookup follows a path of keys; nil where it ends early.
func (n *Node) Lookup(path ...string) *Node {
	for _, key := range path {
		n = n.Get(key)
	}
	return n
}

// Equal tells whether two values are the same, wherever they stand: maps in any
// order, numbers by their literals. A nil is equal to a nil alone.
func Equal(a, b *Node) bool {
	switch {
	case a == b:
		return true
	case a == nil || b == nil || a.Kind != b.Kind || a.Text != b.Text || len(a.Items) != len(b.Items) || len(a.Fields) != len(b.Fields):
		return false
	}
	for i := range a.Items {
		if !Equal(a.Items[i], b.Items[i]) {
			return false
		}
	}
	for _, f := range a.Fields {
		if other := b.Field(f.Key); other == nil || !Equal(f.Value, other.Value) {
			return false
		}
	}
	return true
}

// Set returns a tree in which a path of keys has another value, or with nil is
// not there; where the path leads through what is no map, the tree as it is. It
// shares what it can with the tree, which it does not change.
func Set(tree, value *Node, path ...string) *Node {
	if len(path) == 0 {
		return value
	}
	if tree == nil {
		tree = NewMap(diag.Span{}, nil)
	}
	if tree.Kind != Map {
		return tree
	}
	fields := make([]Field, 0, len(tree.Fields)+1)
	found := false
	for _, f := range tree.Fields {
		if f.Key == path[0] {
			found = true
			f.Value = Set(f.Value, value, path[1:]...)
		}
		if f.Value != nil {
			fields = append(fields, f)
		}
	}
	if !found {
		if v := Set(nil, value, path[1:]...); v != nil {
			fields = append(fields, Field{Key: path[0], Value: v})
		}
	}
	return NewMap(tree.Span, fields)
}
