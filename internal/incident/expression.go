package incident

import (
	"errors"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

// maxExprNodes bounds the size of an expression.
const maxExprNodes = 500

// CompileExpression compiles what somebody wrote for events. Nothing can stop an
// expression that runs, so one whose steps could be out of all proportion to the
// event is refused: predicates do not nest, and there are no ranges to go through.
func CompileExpression(source string, options ...expr.Option) (*vm.Program, error) {
	bound := new(stepBound)
	program, err := expr.Compile(source, append(options, expr.MaxNodes(maxExprNodes), expr.Patch(bound))...)
	if err == nil {
		err = bound.err
	}
	return program, err
}

// stepBound finds what makes an expression run longer than its event is large.
type stepBound struct{ err error }

func (b *stepBound) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.BinaryNode:
		if n.Operator == ".." {
			b.err = errors.New("a range (..) is not allowed: go through the parts of the event")
		}
	case *ast.PredicateNode:
		inner := new(predicates)
		ast.Walk(&n.Node, inner)
		if *inner > 0 {
			b.err = errors.New("a predicate within a predicate is not allowed")
		}
	}
}

// predicates counts those of a tree.
type predicates int

func (p *predicates) Visit(node *ast.Node) {
	if _, ok := (*node).(*ast.PredicateNode); ok {
		*p++
	}
}
