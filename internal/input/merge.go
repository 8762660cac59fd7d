package input

// Merge lays right over left and returns the result: maps merge, lists and
// scalars replace. Neither argument is changed; the result shares what it can
// with them, and every value keeps its own place. A null of right replaces
// what left has, and stays until WithoutNulls, so that it takes the value of
// an earlier file back. Keys keep left's order; new ones follow in right's.
func Merge(left, right *Node) *Node {
	switch {
	case right == nil:
		return left
	case left == nil || left.Kind != Map || right.Kind != Map:
		return right
	case len(left.Fields) == 0:
		return right
	case len(right.Fields) == 0:
		return left
	}
	fields := append(make([]Field, 0, len(left.Fields)+len(right.Fields)), left.Fields...)
	at := left.index
	if at == nil && len(left.Fields) > indexFrom {
		at = indexOf(left.Fields)
	}
	for _, f := range right.Fields {
		i, ok := at[f.Key]
		if at == nil {
			i, ok = find(left.Fields, f.Key)
		}
		if !ok {
			fields = append(fields, f)
			continue
		}
		fields[i] = Field{Key: f.Key, Span: f.Span, Value: Merge(fields[i].Value, f.Value)}
	}
	return NewMap(right.Span, fields)
}

func find(fields []Field, key string) (int, bool) {
	for i := range fields {
		if fields[i].Key == key {
			return i, true
		}
	}
	return 0, false
}

// WithoutNulls returns the tree without the keys whose value is null: null
// means not set. It is for the end of merging. Entries of lists stay, for a
// list that lost one would say something else. A null itself is returned as
// it is.
func WithoutNulls(n *Node) *Node {
	if n == nil {
		return nil
	}
	switch n.Kind {
	case Map:
		kept := n.Fields
		changed := false
		for i, f := range n.Fields {
			value := WithoutNulls(f.Value)
			drop := value.Kind == Null
			if !changed {
				if !drop && value == f.Value {
					continue
				}
				changed = true
				kept = append(make([]Field, 0, len(n.Fields)), n.Fields[:i]...)
			}
			if !drop {
				f.Value = value
				kept = append(kept, f)
			}
		}
		if changed {
			return NewMap(n.Span, kept)
		}
	case List:
		var items []*Node
		for i, item := range n.Items {
			value := WithoutNulls(item)
			if value != item && items == nil {
				items = append(make([]*Node, 0, len(n.Items)), n.Items[:i]...)
			}
			if items != nil {
				items = append(items, value)
			}
		}
		if items != nil {
			return &Node{Kind: List, Span: n.Span, Items: items}
		}
	}
	return n
}
