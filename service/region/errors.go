package region

import (
	"errors"

	"jiamenkou/internal/fault"
)

// Errors of this package.
var (
	ErrNotFound     = fault.New(fault.NotFound, "region.not_found", "没有找到这个地区")
	ErrNotLocated   = fault.New(fault.NotFound, "region.not_located", "当前位置不在已划定的村社内，请手动选择")
	ErrChanged      = fault.New(fault.Conflict, "region.changed", "该地区刚被他人修改，请刷新后再试")
	ErrCodeTaken    = fault.New(fault.Conflict, "region.code_taken", "该编码已被使用，请换一个")
	ErrWrongParent  = fault.New(fault.Invalid, "region.wrong_parent", "网格建在村社下，微网格建在网格下，楼道建在微网格下")
	ErrBadPosition  = fault.New(fault.Invalid, "region.bad_position", "位置无效，请重新定位")
	ErrBadBoundary  = fault.New(fault.Invalid, "region.bad_boundary", "边界无效，请检查后重新上传")
	ErrBadQuery     = fault.New(fault.Invalid, "region.bad_query", "查询条件有误，请修改后再试")
	ErrBadFile      = fault.New(fault.Invalid, "region.bad_file", "文件有误，一条都没有导入，请按提示修改后重新导入")
	ErrFileTooLarge = fault.New(fault.TooLarge, "region.file_too_large", "文件超过 5 MB，一条都没有导入，请拆成几个文件")
	ErrTooManyRows  = fault.New(fault.TooLarge, "region.too_many_rows", "文件超过 50000 行，一条都没有导入，请拆成几个文件")
	ErrEmptyFile    = fault.New(fault.Invalid, "region.empty_file", "文件里没有地区，请检查后重新选择")
)

// errStale: the tree changed between reading and locking; the import plans
// again.
var errStale = errors.New("region: the tree changed while the import was planned")
