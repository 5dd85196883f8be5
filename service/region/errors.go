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
	ErrWrongParent  = fault.New(fault.Invalid, "region.wrong_parent", "上级的级别不对：镇街在县市区下，村社在镇街下，网格在村社下，微网格在网格下，楼道在微网格下")
	ErrNameTaken    = fault.New(fault.Conflict, "region.name_taken", "同一上级下已有同名地区，请换一个名称")
	ErrSameParent   = fault.New(fault.Invalid, "region.same_parent", "它已经在这个上级下面，请选择另一个上级")
	ErrOtherCounty  = fault.New(fault.Invalid, "region.other_county", "只能在同一个县市区内移动或合并")
	ErrCounty       = fault.New(fault.Conflict, "region.county", "县市区不能移动或撤销")
	ErrClosed       = fault.New(fault.Conflict, "region.closed", "该地区已撤销，请选择其他地区")
	ErrNotClosed    = fault.New(fault.Conflict, "region.not_closed", "该地区没有撤销，不用恢复")
	ErrOccupied     = fault.New(fault.Conflict, "region.occupied", "地区里还有未了的事，请先处理，或选择并入的地区")
	ErrSuccessor    = fault.New(fault.Invalid, "region.bad_successor", "只能并入同一级别的另一个地区")
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
