// Package input reads the files of a stack (JSON, Jsonnet, CUE) into one
// tree that knows where each value was written.
package input

import "github.com/plonec/plonec/diag"

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
