package builder

import (
	"iter"
	"strings"
)

// A CfgFile is a whole configuration as buildout's parser takes it, less the sections
// whose expression does not hold.
type CfgFile struct {
	Sections []CfgSection // in the order of the text; a name may be there more than once
	// Plain is the text without any expression: headers that have one have their name
	// alone, and what is passed over is a comment. Each line is where it was.
	Plain []string
}

// A CfgSection is a header, and what follows it.
type CfgSection struct {
	Name    string
	Line    int // from 1
	Options []CfgOption
}

// A CfgOption is an option, from its first line to its last.
type CfgOption struct {
	Name       string // "eggs"
	Op         string // "=", "+=" or "-="
	Value      string // its lines without the white space around them
	Line, Last int    // from 1
}

// ReadCfg reads a file. holds tells whether a section with that expression counts; an
// error of its is a bad line, as what stands for a mistake in words. A file with bad
// lines is not one that buildout reads.
func ReadCfg(text string, holds func(expression string) (bool, error)) (*CfgFile, []BadLine) {
	f := &CfgFile{}
	var bad []BadLine
	skipped, option := false, false // the state of buildout's parser
	begun := false                  // a section holds already
	for n, line := range cfgLines(text) {
		if isComment(line) {
			f.Plain = append(f.Plain, "#")
			continue
		}
		plain := line
		header := cfgHeader.FindStringSubmatch(line)
		blank := strings.TrimFunc(line, isSpace) == ""
		switch {
		case isSpace(firstRune(line)) && begun && option:
			if skipped {
				plain = "#"
			} else {
				o := f.last()
				o.Last = n
				if o.Value != "" && !blank {
					o.Value += "\n"
				}
				o.Value += strings.TrimFunc(line, isSpace)
			}
		case header != nil:
			name := cfgName.FindStringSubmatch(line)[1]
			plain, skipped = "["+name+"]", false
			if header[1] != "" {
				held, err := holds(cfgEscapes.Replace(header[1]))
				if err != nil {
					bad = append(bad, BadLine{n, line, err.Error(), ""})
				}
				if skipped = !held; skipped {
					f.Plain = append(f.Plain, "#")
					continue
				}
			}
			begun, option = true, false
			f.Sections = append(f.Sections, CfgSection{Name: name, Line: n})
		case !begun:
			if !blank {
				bad = append(bad, BadLine{n, line, "it stands before the first section of the file", "write a header such as [buildout] before it"})
			}
		case strings.HasPrefix(line, "=>") || cfgOption.MatchString(line):
			if skipped {
				plain = "#"
				break
			}
			option = true
			name, value, _ := strings.Cut(line, "=")
			op := "="
			if name = strings.TrimFunc(name, isSpace); strings.HasSuffix(name, "+") || strings.HasSuffix(name, "-") {
				op, name = name[len(name)-1:]+"=", strings.TrimFunc(name[:len(name)-1], isSpace)
			}
			if strings.HasPrefix(line, "=>") {
				name, value = "<part-dependencies>", line[2:]
			}
			s := &f.Sections[len(f.Sections)-1]
			s.Options = append(s.Options, CfgOption{Name: name, Op: op, Value: strings.TrimFunc(value, isSpace), Line: n, Last: n})
		case option || !blank:
			what, remedy := reason(line, n)
			bad = append(bad, BadLine{n, line, what, remedy})
		}
		f.Plain = append(f.Plain, plain)
	}
	return f, bad
}

// Pasted are the options of a text that stands below a header [buildout], by their section.
// A section that has an expression counts as if it held.
func Pasted(text string) iter.Seq2[string, CfgOption] {
	f, _ := ReadCfg("[buildout]\n"+text, func(string) (bool, error) { return true, nil })
	return func(yield func(string, CfgOption) bool) {
		for _, s := range f.Sections {
			for _, o := range s.Options {
				o.Line, o.Last = o.Line-1, o.Last-1
				if !yield(s.Name, o) {
					return
				}
			}
		}
	}
}

func (f *CfgFile) last() *CfgOption {
	s := &f.Sections[len(f.Sections)-1]
	return &s.Options[len(s.Options)-1]
}

// cfgEscapes is how an expression has what would begin a comment.
var cfgEscapes = strings.NewReplacer(`\x23`, "#", `\x3b`, ";")
