/**
 * Data frames of danfojs-node. This package brings its own copy of it, which installs from npm alone; in a notebook
 * `danfojs-node` is the same module.
 */
export {
  concat,
  DataFrame,
  Dt,
  dateRange,
  getDummies,
  LabelEncoder,
  MinMaxScaler,
  merge,
  OneHotEncoder,
  readCSV,
  readExcel,
  readJSON,
  Series,
  StandardScaler,
  Str,
  toCSV,
  toDateTime,
  toExcel,
  toJSON,
} from "danfojs-node";
