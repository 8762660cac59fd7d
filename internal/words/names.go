package words

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Runs puts one word, app1..app60, in the place of four names or more that
// count on.
func Runs(names []string) []string {
	type counted struct {
		name, stem string
		number     int // -1 where it ends in none, or in one that begins with 0
	}
	list := make([]counted, len(names))
	for i, name := range names {
		stem := strings.TrimRight(name, "0123456789")
		number, err := strconv.Atoi(name[len(stem):])
		if err != nil || strconv.Itoa(number) != name[len(stem):] {
			stem, number = name, -1
		}
		list[i] = counted{name, stem, number}
	}
	slices.SortStableFunc(list, func(a, b counted) int {
		return cmp.Or(strings.Compare(a.stem, b.stem), cmp.Compare(a.number, b.number))
	})
	var words []string
	for i := 0; i < len(list); {
		n := 1
		for i+n < len(list) && list[i].number >= 0 && list[i+n].stem == list[i].stem && list[i+n].number == list[i].number+n {
			n++
		}
		if n >= 4 {
			words = append(words, list[i].name+".."+list[i+n-1].name)
		} else {
			for _, c := range list[i : i+n] {
				words = append(words, c.name)
			}
		}
		i += n
	}
	return words
}

// Without lists what of a list is not in another.
func Without(list, others []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(others, s) })
}
