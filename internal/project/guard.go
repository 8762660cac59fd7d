package project

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/plonec/plonec/internal/topology"
)

// A header of a section may have an expression, [NAME: EXPRESSION], which buildout's
// reader gives to Python. Here it is worked out without: comparisons of the names that
// buildout documents, of the requirements' markers among them, as a host has them.

// Why an expression is not worked out.
var (
	errExpression = errors.New("its expression is more than comparisons of the names that buildout documents, and is not run")
	errPatch      = errors.New("its expression asks for Python's patch level, which a host alone knows")
)

// maxDepth bounds parentheses and nots inside each other.
const maxDepth = 32

// A value is a truth value, a text, a version (of which the patch level is not known)
// or whole numbers.
type value struct {
	truth   bool
	text    string
	numbers []int
	kind    kind
}

type kind int

const (
	truth   kind = iota
	text         // a text that is written
	fact         // a text that a host has
	version      // Python's, as a marker has it
	numbers      // whole numbers that are written
	info         // Python's, as sys.version_info has it
)

// names are what an expression may name on a host with that Python: Linux, 64 bits.
func names(python topology.Version) map[string]value {
	all := map[string]value{
		"True": {truth: true}, "False": {},
		"sys.version_info":       {kind: info, numbers: []int{python.Major, python.Minor}},
		"sys.version_info.major": {kind: numbers, numbers: []int{python.Major}},
		"sys.version_info.minor": {kind: numbers, numbers: []int{python.Minor}},
		"python_version":         {kind: version, text: python.String(), numbers: []int{python.Major, python.Minor}},
	}
	for name, is := range map[string]string{
		"sys.platform": "linux", "os.name": "posix", "sys.byteorder": "little",
		"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux",
		"platform_python_implementation": "CPython", "implementation_name": "cpython",
	} {
		all[name] = value{kind: fact, text: is}
	}
	if python.Major == 2 {
		all["sys.platform"] = value{kind: fact, text: "linux2"}
	}
	for name, is := range map[string]bool{
		"python2": python.Major == 2, "python3": python.Major == 3,
		"cpython": true, "pypy": false, "jython": false, "ironpython": false,
		"linux": true, "posix": true, "windows": false, "cygwin": false, "solaris": false, "macosx": false,
		"bits64": true, "bits32": false, "little_endian": true, "big_endian": false,
	} {
		all[name] = value{truth: is}
	}
	for _, v := range strings.Fields("24 25 26 27 30 31 32 33 34 35 36 37 38 39 310 311 312 313 314 315") {
		all["python"+v] = value{truth: v == strconv.Itoa(python.Major)+strconv.Itoa(python.Minor)}
	}
	return all
}

// holds works an expression out for hosts with that Python.
func holds(expression string, python topology.Version) (bool, error) {
	p := &parser{names: names(python)}
	for rest := expression; rest != ""; {
		m := token.FindString(rest)
		if m == "" {
			return false, errExpression
		}
		if rest = rest[len(m):]; strings.TrimSpace(m) != "" {
			p.tokens = append(p.tokens, m)
		}
	}
	v, err := p.or(0)
	if err == nil && (p.peek() != "" || v.kind != truth) {
		err = errExpression
	}
	return v.truth, err
}

// token begins a text with a token, or white space.
var token = regexp.MustCompile(`^(?:[ \t]+|[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*|'[^'\\]*'|"[^"\\]*"|[0-9]{1,6}|==|!=|<=|>=|[<>(),\[\]])`)

type parser struct {
	names  map[string]value
	tokens []string
}

func (p *parser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

// takes takes the next token where it is that word.
func (p *parser) takes(word string) bool {
	if p.peek() != word {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *parser) or(depth int) (value, error)  { return p.joined(depth, "or", p.and) }
func (p *parser) and(depth int) (value, error) { return p.joined(depth, "and", p.not) }

// joined is operands with a word between them. All are looked at: what Python would
// not come to must be an expression too.
func (p *parser) joined(depth int, word string, operand func(int) (value, error)) (value, error) {
	v, err := operand(depth)
	for err == nil && p.takes(word) {
		var next value
		if next, err = operand(depth); err == nil && (v.kind != truth || next.kind != truth) {
			err = errExpression
		}
		if word == "or" {
			v.truth = v.truth || next.truth
		} else {
			v.truth = v.truth && next.truth
		}
	}
	return v, err
}

func (p *parser) not(depth int) (value, error) {
	if !p.takes("not") {
		return p.comparison(depth)
	}
	if depth > maxDepth {
		return value{}, errExpression
	}
	v, err := p.not(depth + 1)
	if v.kind != truth {
		err = errExpression
	}
	return value{truth: !v.truth}, err
}

// operators are those of comparisons, with what they say of an order.
var operators = map[string]func(order int) bool{
	"==": func(o int) bool { return o == 0 }, "!=": func(o int) bool { return o != 0 },
	"<": func(o int) bool { return o < 0 }, "<=": func(o int) bool { return o <= 0 },
	">": func(o int) bool { return o > 0 }, ">=": func(o int) bool { return o >= 0 },
}

func (p *parser) comparison(depth int) (value, error) {
	left, err := p.operand(depth)
	if err != nil {
		return left, err
	}
	if in, not := p.takes("in"), p.peek() == "not"; in || not {
		if p.takes("not") && !p.takes("in") {
			return value{}, errExpression
		}
		right, err := p.operand(depth)
		if err == nil && (!left.isText() || !right.isText()) {
			err = errExpression
		}
		return value{truth: strings.Contains(right.text, left.text) == in}, err
	}
	holds := operators[p.peek()]
	if holds == nil {
		return left, nil
	}
	operator := p.peek()
	p.tokens = p.tokens[1:]
	right, err := p.operand(depth)
	if err != nil {
		return value{}, err
	}
	order, err := compare(left, right, operator == "==" || operator == "!=")
	return value{truth: holds(order)}, err
}

func (v value) isText() bool { return v.kind == text || v.kind == fact || v.kind == version }

// compare orders two values; equality tells that only whether they are equal counts.
func compare(a, b value, equality bool) (int, error) {
	switch {
	case a.kind == text && b.kind == version, a.kind == numbers && b.kind == info:
		order, err := compare(b, a, equality)
		return -order, err
	case a.kind == version && b.kind == text:
		var parts []int
		for _, part := range strings.Split(b.text, ".") {
			n, err := strconv.Atoi(part)
			if err != nil {
				return 0, errExpression
			}
			parts = append(parts, n)
		}
		for len(parts) > 2 && parts[len(parts)-1] == 0 { // 3.11 is 3.11.0
			parts = parts[:len(parts)-1]
		}
		for len(parts) < 2 {
			parts = append(parts, 0)
		}
		return slices.Compare(a.numbers, parts), nil
	case a.kind == info && b.kind == numbers:
		if order := slices.Compare(a.numbers, b.numbers[:min(len(b.numbers), len(a.numbers))]); order != 0 {
			return order, nil
		}
		if len(b.numbers) > len(a.numbers) {
			return 0, errPatch
		}
		return 1, nil // it goes on, with the patch level
	case a.kind == numbers && b.kind == numbers:
		return slices.Compare(a.numbers, b.numbers), nil
	case equality && (a.kind == fact && b.kind == text || a.kind == text && b.kind == fact):
		return cmp.Compare(a.text, b.text), nil
	}
	return 0, errExpression
}

func (p *parser) operand(depth int) (value, error) {
	if depth > maxDepth {
		return value{}, errExpression
	}
	next := p.peek()
	switch {
	case next == "":
		return value{}, errExpression
	case p.takes("("):
		return p.inside(depth + 1)
	}
	p.tokens = p.tokens[1:]
	switch c := next[0]; {
	case c == '"' || c == '\'':
		return value{kind: text, text: next[1 : len(next)-1]}, nil
	case '0' <= c && c <= '9':
		n, _ := strconv.Atoi(next) // digits alone, and few
		return value{kind: numbers, numbers: []int{n}}, nil
	}
	v, ok := p.names[next]
	switch {
	case !ok && regexp.MustCompile(`^(python_full_version|implementation_version)$`).MatchString(next):
		return v, errPatch
	case !ok && regexp.MustCompile(`^[A-Za-z_]`).MatchString(next):
		return v, fmt.Errorf("its expression names %s, which is not one of the names that buildout documents, or which a host alone knows", next)
	case !ok:
		return v, errExpression
	}
	if v.kind == info && p.takes("[") {
		at, err := p.operand(depth + 1)
		if err != nil || at.kind != numbers || len(at.numbers) != 1 || !p.takes("]") {
			return v, errExpression
		}
		if at.numbers[0] > 1 {
			return v, errPatch
		}
		return value{kind: numbers, numbers: v.numbers[at.numbers[0]:][:1]}, nil
	}
	return v, nil
}

// inside is what stands in parentheses: an expression, or numbers with commas.
func (p *parser) inside(depth int) (value, error) {
	v, err := p.or(depth)
	for err == nil && p.takes(",") && p.peek() != ")" {
		var next value
		if next, err = p.operand(depth); v.kind != numbers || next.kind != numbers {
			err = errExpression
		}
		v.numbers = append(slices.Clone(v.numbers), next.numbers...)
	}
	if err == nil && !p.takes(")") {
		err = errExpression
	}
	return v, err
}
